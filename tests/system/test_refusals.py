"""What the server refuses below the application looks like every other error, over the wire."""

import json
import socket
from contextlib import closing

import pytest

from tests.system.raw import connect, http1, send_http1, send_http2
from tests.system.service import Service

HOST = (b"host", b"localhost")
UPGRADE = [(b"connection", b"upgrade"), (b"upgrade", b"websocket")]
HTTP1 = {
    "no Host": (http1(b"/ocr", (b"x", b"marker")), 400, "malformed_http"),
    "two lengths": (
        http1(b"/ocr", HOST, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")),
        400,
        "malformed_http",
    ),
    "an unknown coding": (
        http1(b"/ocr", HOST, (b"transfer-encoding", b"marker")), 501, "not_implemented",
    ),
    "a large head": (http1(b"/ocr", HOST, (b"x", b"marker" * 3500)), 431, "headers_too_large"),
    "a WebSocket": (http1(b"/marker", HOST, *UPGRADE), 403, "websocket_refused"),
}  # fmt: skip
UNPARSED = ("no Host", "an unknown coding")  # the parser says no more than that
PSEUDO = [
    (b":method", b"POST"),
    (b":path", b"/marker"),
    (b":scheme", b"https"),
    (b":authority", b"localhost"),
]
HTTP2 = {
    "a key with a CR": ([*PSEUDO, (b"x-api-key", b"marker\r")], 400, "malformed_http"),
    "a key with a space": ([*PSEUDO, (b"x-api-key", b"marker ")], 400, "malformed_http"),
    "a 20-KB header": ([*PSEUDO, (b"x", b"a" * 20_000)], 431, "headers_too_large"),
}


def check(
    service: Service, content: bytes, status: int, code: str, *, method: str | None = None
) -> None:
    """Check the headers, and the one line of the log, which has nothing of the request."""
    assert b"x-content-type-options: nosniff" in content
    request_id = content.partition(b"x-request-id: ")[2][:16].decode()
    entry = json.loads(service.logged(request_id))
    assert (entry["status"], entry["problem"], entry["method"]) == (status, code, method)
    lines = [line for line in service.log if request_id in line]
    assert len(lines) == 1
    assert "marker" not in lines[0]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("case", HTTP1)
def test_http1_refusals(service: Service, case: str, *, plain: bool) -> None:
    """A problem document with the usual headers, and one line in the log."""
    request, status, code = HTTP1[case]
    reply = send_http1(service, request, plain=plain)
    assert reply.status == status
    document = json.loads(reply.content.partition(b"\r\n\r\n")[2])
    assert (document["status"], document["code"]) == (status, code)
    assert (b"strict-transport-security" in reply.content) is not plain
    check(service, reply.content, status, code, method=None if case in UNPARSED else "GET")


@pytest.mark.parametrize("case", HTTP2)
def test_http2_refusals(service: Service, case: str) -> None:
    """The same, in the client's language; test_refusals of the server has the connection."""
    fields, status, code = HTTP2[case]
    reply = send_http2(service, [*fields, (b"accept-language", b"zh")])
    assert reply.status == status
    assert b"content-language: zh" in reply.content
    assert b"strict-transport-security" in reply.content
    assert code.encode() in reply.content
    check(service, reply.content, status, code, method="POST")


def test_plain_http_on_the_https_port(service: Service) -> None:
    """A plain-text 400 with the address to use, and the end of the connection."""
    with socket.create_connection(("127.0.0.1", service.ports["https"]), 10) as client:
        client.sendall(b"POST /ocr HTTP/1.1\r\nhost: marker\r\nx-api-key: marker\r\n\r\n")
        content = b""
        while piece := client.recv(65536):
            content += piece
    assert content.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: text/plain" in content
    assert content.endswith(b"Use https://localhost:8443/\n")
    assert b"marker" not in content
    check(service, content, 400, "https_required")


@pytest.mark.parametrize(("method", "status"), [(b"get", 405), (b"GET", 200), (b"Get", 405)])
def test_methods_are_case_sensitive(service: Service, method: bytes, status: int) -> None:
    """RFC 9110, section 9.1, over both protocols."""
    target = b"https://localhost/healthz"
    assert send_http1(service, http1(target, HOST, method=method)).status == status
    fields = [(b":method", method), (b":path", b"/healthz"), *PSEUDO[2:]]
    assert send_http2(service, fields).status == status


def test_100_continue_comes_after_the_key(service: Service) -> None:
    """A wrong key, a body over the limit and a wrong type get their error, and no 100 before it."""
    key = (b"x-api-key", service.key.encode())
    expects = (b"expect", b"100-continue")
    png = (b"content-type", b"image/png")
    cases = [
        ([(b"content-length", b"9"), png], b"401"),
        ([(b"content-length", b"99999999"), png, key], b"413"),
        ([(b"content-length", b"9"), (b"content-type", b"text/html"), key], b"415"),
        ([(b"content-length", b"9"), png, key], b"100"),
    ]
    for fields, status in cases:
        with closing(connect(service, "http/1.1")) as line:
            line.sendall(http1(b"/ocr", HOST, expects, *fields, method=b"POST"))
            assert line.recv(65536).startswith(b"HTTP/1.1 " + status)
