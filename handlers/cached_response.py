"""A response that clients may keep, and ask for again by its entity tag."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

NOT_MODIFIED = 304


def cached_response(
    request: Request,
    body: bytes,
    etag: str,
    media_type: str,
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
        "etag": etag,
        "cache-control": "no-cache",  # keep it, and ask each time whether it is still right
    }
    sent = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in sent.split(",")}
    if tags & {etag, "*"}:
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
