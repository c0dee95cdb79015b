"""Requests that the server refuses before the application would see them."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from hypercorn.protocol.events import Request
from hypercorn.typing import ConnectionState

EXTENSION = "sealed.refusal"
"""The ASGI extension that names a Refusal. The application responds to it, so that a refusal has
the same form, headers and log line as every other response."""

NOT_IMPLEMENTED = 501
HEADERS_TOO_LARGE = 431


class Refusal(StrEnum):
    """Why a request is refused."""

    MALFORMED = "malformed_http"
    HEADERS_TOO_LARGE = "headers_too_large"
    NOT_IMPLEMENTED = "not_implemented"
    WEBSOCKET = "websocket_refused"
    PLAIN_HTTP = "https_required"  # on a port that speaks TLS


def refusal_of(status: int) -> Refusal:
    """Return the refusal for a parser's status."""
    if status == HEADERS_TOO_LARGE:
        return Refusal.HEADERS_TOO_LARGE
    return Refusal.NOT_IMPLEMENTED if status == NOT_IMPLEMENTED else Refusal.MALFORMED


class Refusals:
    """The refusals of a process, counted."""

    def __init__(self) -> None:
        self.counts: Counter[Refusal] = Counter()

    def refuse(self, refusal: Refusal) -> dict[str, Any]:
        """Count a refusal; return its ASGI extensions."""
        self.counts[refusal] += 1
        return {EXTENSION: refusal.value}


def refused_request(
    stream_id: int,
    http_version: str,
    state: ConnectionState,
    *,
    method: str = "",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> Request:
    """Return what the application gets of a refused request: nothing that it could serve.

    The path is empty, and so is a method that could not be read. Of the headers it gets the
    language, if there is one.
    """
    return Request(
        stream_id=stream_id,
        headers=[field for field in headers if field[0] == b"accept-language"][:1],
        http_version=http_version,
        method=method,
        raw_path=b"",
        state=state,
    )
