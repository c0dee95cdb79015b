"""What a valid HTTP/1.1 request head is, beyond h11's checks."""

import re

import h11

from server.refusals import Refusal

TWO_LENGTHS = {b"content-length", b"transfer-encoding"}
ABSOLUTE = re.compile(rb"https?://([^/?#@]+)([/?][^#]*)?", re.IGNORECASE)

Headers = list[tuple[bytes, bytes]]


def refusal_of_head(request: h11.Request, limit_bytes: int) -> Refusal | None:
    """Return why a request is refused by its head; None if it is not.

    h11 limits a head only while it is incomplete.
    """
    if _length(request) > limit_bytes:
        return Refusal.HEADERS_TOO_LARGE
    if dict(request.headers).keys() >= TWO_LENGTHS or not _is_target(request):
        return Refusal.MALFORMED
    return Refusal.WEBSOCKET if _is_websocket(request) else None


def _length(request: h11.Request) -> int:
    """Return the length of a request line and headers, without optional whitespace."""
    fields = sum(len(name) + len(value) + 4 for name, value in request.headers)  # ": " and CRLF
    return len(request.method) + len(request.target) + len(b"  HTTP/1.1\r\n\r\n") + fields


def _is_target(request: h11.Request) -> bool:
    """Whether a target is a path, an absolute URL, or the asterisk of OPTIONS (RFC 9112, 3.2).

    There are no tunnels: the target of CONNECT is a host.
    """
    target = request.target
    if target == b"*":
        return request.method == b"OPTIONS"
    return target.startswith(b"/") or ABSOLUTE.fullmatch(target) is not None


def _is_websocket(request: h11.Request) -> bool:
    """Whether a request asks for a WebSocket (RFC 6455, section 4.1); there are none."""
    headers = {name: value.lower() for name, value in request.headers}
    tokens = [token.strip() for token in headers.get(b"connection", b"").split(b",")]
    return (
        request.method == b"GET"
        and headers.get(b"upgrade") == b"websocket"
        and b"upgrade" in tokens
    )


def origin_form(target: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """Return path and query of a valid target, and the headers with the host that it names.

    The host of an absolute target replaces the Host header, which must be ignored then (RFC 9112,
    section 3.2.2).
    """
    absolute = ABSOLUTE.fullmatch(target)
    if absolute is None:
        return target, headers
    authority, path = absolute[1], absolute[2] or b"/"
    others = [field for field in headers if field[0].lower() != b"host"]
    return path if path.startswith(b"/") else b"/" + path, [(b"host", authority), *others]
