"""What is known of one request and its answer, while it lasts."""

import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast

Scope = MutableMapping[str, Any]


@dataclass(slots=True)
class RequestContext:
    """One request: what the log will say of it, and headers its answer is to carry.

    Nothing here holds content: no text, no file name, no key.
    """

    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    function: str | None = None
    key_name: str | None = None
    received_bytes: int = 0
    expected_bytes: int = 0
    due: float | None = None  # on the event loop's clock
    images: int | None = None
    pages: int | None = None
    lines: int | None = None
    problem: str | None = None
    why: str | None = None  # which the caller is not told
    fault: list[str] | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def request_context(scope: Scope) -> RequestContext:
    """Return the request's RequestContext, made on first sight."""
    state = scope.setdefault("state", {})
    if "context" not in state:  # not setdefault(): it would draw random bytes at every look
        state["context"] = RequestContext()
    return cast(RequestContext, state["context"])


def open_window(scope: Scope) -> None:
    """Let the whole body come at once; for a function that has a place for the request.

    Until then an HTTP/2 client may send only a little ahead, which bounds the memory that
    requests without a place can take. HTTP/1.1 has no such window.
    """
    window = scope.get("extensions", {}).get("sealed.receive_window")
    if window is not None:
        window["grow"](request_context(scope).expected_bytes)


def address_of(scope: Scope) -> str:
    """Return the peer's address; a Unix socket has none."""
    client = scope.get("client")
    return client[0] if client else "local"


def caller_of(scope: Scope) -> str:
    """Return who asks: the name of a key, or an address where there is none."""
    return request_context(scope).key_name or address_of(scope)
