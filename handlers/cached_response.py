"""A response that clients may keep, and ask for again by its entity tag."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

_TAG_DIGITS = 32  # 128 bits: two bodies never have the same


@dataclass(frozen=True, slots=True)
class Representation:
    """A body as it is sent; `etag` is a strong validator (RFC 9110, section 8.8.3)."""

    body: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> "Representation":
        """Return a body with its entity tag."""
        return cls(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:_TAG_DIGITS]}"')


def cached_response(
    request: Request,
    found: Representation,
    *,
    language: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the body, or 304 if the client has it: RFC 9110, section 13.1.2.

    `language` is that of a body which there is in several.
    """
    headers = {
        **(headers or {}),
        **({} if language is None else {"vary": "Accept-Language", "content-language": language}),
        "etag": found.etag,
        "cache-control": "no-cache",  # keep it, and ask each time whether it is still right
    }
    sent = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in sent.split(",")}
    if tags & {found.etag, "*"}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(found.body, headers=headers, media_type=found.media_type)
