"""Requests that the server refuses: answered by the application, and only their own ruin."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import h2.events
import pytest
from h2.errors import ErrorCodes

from server.http1_heads import origin_form
from tests.server.clients import Client, settled_stats, stats
from tests.server.servers import PATIENCE_S, Server, both, serving, until
from tests.server.test_http1 import connect, read_all
from tls.development import Paths

GET = "GET /refuse HTTP/1.1\r\nhost: localhost\r\n"
LIMIT = 16_384
REFUSED_HEADS = {
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (f"{GET}host: other\r\n\r\n".encode(), 400),
    "no request line": (b"nonsense\r\n\r\n", 400),
    "a space before the colon": (f"{GET}name : x\r\n\r\n".encode(), 400),
    "two lengths": (f"{GET}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n".encode(), 400),
    "an unknown coding": (f"{GET}transfer-encoding: gzip\r\n\r\n".encode(), 501),
    "CONNECT": (b"CONNECT localhost:1 HTTP/1.1\r\nhost: localhost:1\r\n\r\n", 400),
    "an asterisk": (b"GET * HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
    "userinfo": (b"GET https://a@localhost/ HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
    "a long head at once": (f"{GET}x: {'a' * 20_000}\r\n\r\n".encode(), 431),
    "a long head without end": (f"{GET}x: {'a' * 20_000}".encode(), 431),
    "a WebSocket": (
        f"{GET}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode(),
        403,
    ),
}


@pytest.fixture(scope="module")
def limited(pair: Paths) -> Iterator[Server]:
    """Run a server that accepts headers of 16 KiB."""
    settings = {
        "h2_max_header_list_size": LIMIT,
        "h2_max_inbound_frame_size": 65_536,
        "insecure_bind": ["127.0.0.1:0"],
    }
    with serving(pair, hardened=True, settings=settings) as server:
        until(lambda: server.plain_port)
        yield server


def refusals(server: Server) -> int:
    """Return how many requests the server has refused."""
    return sum(stats(server)["refused_requests"].values())


@contextmanager
def connected(server: Server, *, plain: bool) -> Iterator[socket.socket]:
    """Open an HTTP/1.1 connection."""
    if plain:
        with socket.create_connection(("127.0.0.1", server.plain_port), PATIENCE_S) as line:
            yield line
    else:
        with closing(connect(server)) as line:
            yield line


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("case", REFUSED_HEADS)
def test_a_refused_request_is_answered(limited: Server, case: str, *, plain: bool) -> None:
    """By the application, once, and counted; then the connection ends."""
    request, status = REFUSED_HEADS[case]
    before = refusals(limited)
    with connected(limited, plain=plain) as client:
        second = b"GET /stats HTTP/1.1\r\nhost: localhost\r\n\r\n"
        client.sendall(request + second if request.endswith(b"\r\n") else request)
        reply = read_all(client)  # type: ignore[arg-type]
    assert reply.startswith(f"HTTP/1.1 {status} ".encode())
    assert reply.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in reply
    assert reply.endswith((b"malformed_http", b"too_large", b"not_implemented", b"_refused"))
    assert refusals(limited) == before + 1


def test_an_invalid_body_ends_its_request(limited: Server) -> None:
    """Its handler is cancelled, and the client gets a 400."""
    before = settled_stats(limited)["running"]
    with connect(limited) as client:
        client.sendall(
            b"POST /unread HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        until(lambda: stats(limited)["running"] == before + 1)
        client.sendall(b"no length\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 400 ")
    until(lambda: stats(limited)["running"] == before)


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\n", b"EHLO x\r\n"])
def test_plain_http_on_the_tls_port_is_told_so(limited: Server, sent: bytes) -> None:
    """A 400 in clear text, and the end."""
    with socket.create_connection(("127.0.0.1", limited.port), PATIENCE_S) as client:
        client.sendall(sent)
        reply = read_all(client)  # type: ignore[arg-type]
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert reply.endswith(b"https_required")


def test_what_is_neither_tls_nor_text_gets_an_alert(limited: Server) -> None:
    """As before: the alert of a failed handshake, and no HTTP."""
    with socket.create_connection(("127.0.0.1", limited.port), PATIENCE_S) as client:
        client.sendall(bytes(20))
        reply = read_all(client)  # type: ignore[arg-type]
    assert b"HTTP" not in reply


Fields = list[tuple[bytes, bytes]]
PSEUDO: Fields = [
    (b":method", b"GET"),
    (b":path", b"/stats"),
    (b":scheme", b"https"),
    (b":authority", b"localhost"),
]
REFUSED_FIELDS: dict[str, tuple[Fields, int]] = {
    "a value that ends with a space": ([*PSEUDO, (b"x-api-key", b"key ")], 400),
    "a value with a CR": ([*PSEUDO, (b"x-api-key", b"key\r")], 400),
    "a value with a NUL": ([*PSEUDO, (b"x", b"a\0b")], 400),
    "an upper-case name": ([*PSEUDO, (b"Name", b"x")], 400),
    "a name with a space": ([*PSEUDO, (b"a b", b"x")], 400),
    "no name": ([*PSEUDO, (b"", b"x")], 400),
    "connection": ([*PSEUDO, (b"connection", b"close")], 400),
    "te": ([*PSEUDO, (b"te", b"gzip")], 400),
    "no path": ([PSEUDO[0], *PSEUDO[2:]], 400),
    "an empty path": ([PSEUDO[0], (b":path", b""), *PSEUDO[2:]], 400),
    "no authority": (PSEUDO[:3], 400),
    "another host": ([*PSEUDO, (b"host", b"other")], 400),
    "two hosts": ([*PSEUDO, (b"host", b"localhost"), (b"host", b"localhost")], 400),
    "a pseudo-header twice": ([*PSEUDO, PSEUDO[1]], 400),
    "a pseudo-header late": ([*PSEUDO, (b"x", b"y"), (b":path", b"/")], 400),
    "an unknown pseudo-header": ([*PSEUDO, (b":unknown", b"x")], 400),
    "a path beyond ASCII": ([PSEUDO[0], (b":path", b"/\xc3\xa9"), *PSEUDO[2:]], 400),
    "no number as length": ([*PSEUDO, (b"content-length", b"-1")], 400),
    "a very long number": ([*PSEUDO, (b"content-length", b"1" * 5000)], 400),
    "two lengths": ([*PSEUDO, (b"content-length", b"1"), (b"content-length", b"2")], 400),
    "CONNECT": ([(b":method", b"CONNECT"), (b":authority", b"localhost")], 400),
    "a WebSocket": ([(b":method", b"CONNECT"), *PSEUDO[1:], (b":protocol", b"websocket")], 403),
    "large headers": ([*PSEUDO, (b"x-large", b"a" * 20_000)], 431),
    "many fields": ([*PSEUDO, *[(b"x", b"y")] * 800], 431),
}


def opened(client: Client, fields: Fields, *, end: bool = True) -> int:
    """Send fields as they are; return the stream."""
    stream_id: int = client.h2.get_next_available_stream_id()
    client.h2.config.normalize_outbound_headers = False
    client.h2.send_headers(stream_id, fields, end_stream=end)
    client.flush()
    return stream_id


@pytest.mark.parametrize("case", REFUSED_FIELDS)
def test_a_refused_stream_leaves_the_others(limited: Server, case: str) -> None:
    """It is answered; a request beside it and one after it, with the same fields known, too."""
    fields, status = REFUSED_FIELDS[case]
    before = refusals(limited)
    with Client(limited) as client:
        other = client.open("/late?0.05", "GET", end=True)
        bad = opened(client, fields)
        assert client.wait(lambda: client.ended(bad))
        assert client.status(bad) == status
        assert client.wait(lambda: client.ended(other))
        good = opened(client, [*PSEUDO, (b"x", b"y")])  # of "many fields": in HPACK's table
        assert client.wait(lambda: client.ended(good))
        assert client.status(good) == 200
        assert client.get("/late?0") == b"0"
    assert refusals(limited) == before + 1


def test_a_refused_upload_is_answered(limited: Server) -> None:
    """Its body is discarded."""
    fields = [(b":method", b"POST"), *PSEUDO[1:], (b"x-api-key", b"key\r")]
    with Client(limited) as client:
        bad = opened(client, fields, end=False)
        client.send(bad, bytes(300_000))
        assert client.wait(lambda: client.ended(bad))
        assert client.status(bad) == 400
        assert client.get("/late?0") == b"0"


@pytest.mark.parametrize("field", [(b":path", b"/"), (b"x", b"y\r"), (b"x", b"a" * 20_000)])
def test_malformed_trailers_reset_their_stream(limited: Server, field: tuple[bytes, bytes]) -> None:
    """And cancel the handler; others go on."""
    before = settled_stats(limited)["running"]
    with Client(limited) as client:
        bad = client.open("/unread")
        until(lambda: stats(limited)["running"] == before + 1)
        client.h2.config.normalize_outbound_headers = False
        client.h2.send_headers(bad, [field], end_stream=True)
        client.flush()
        assert client.wait(lambda: client.seen(h2.events.StreamReset, bad))
        assert client.seen(h2.events.StreamReset, bad).error_code is ErrorCodes.PROTOCOL_ERROR
        until(lambda: stats(limited)["running"] == before)
        assert client.get("/late?0") == b"0"


def test_headers_beyond_the_hard_limit_end_the_connection(limited: Server) -> None:
    """Four times what is announced is not decoded."""
    with Client(limited) as client:
        assert client.h2.remote_settings.max_header_list_size == LIMIT
        opened(client, [*PSEUDO, (b"x-large", b"a" * 5 * LIMIT)])
        assert client.wait(lambda: client.seen(h2.events.ConnectionTerminated))
        code = client.seen(h2.events.ConnectionTerminated).error_code
        assert code is ErrorCodes.ENHANCE_YOUR_CALM


def test_an_hpack_bomb_ends_the_connection(limited: Server) -> None:
    """A large field that is referenced often."""
    with Client(limited) as client:
        opened(client, [*PSEUDO, *[(b"x-large", b"a" * 3000)] * 100])
        assert client.wait(lambda: client.seen(h2.events.ConnectionTerminated))


def test_many_refused_streams_end_the_connection(limited: Server) -> None:
    """Each costs as much as a reset."""
    with Client(limited) as client:
        for _ in range(3):
            bad = [opened(client, [*PSEUDO, (b"x-api-key", b"key ")]) for _ in range(90)]
            if not client.wait(lambda bad=bad: all(map(client.ended, bad))):
                break
        code = client.seen(h2.events.ConnectionTerminated).error_code
        assert code is ErrorCodes.ENHANCE_YOUR_CALM


ABSOLUTE = {
    b"https://other.example:1/a?b": (b"/a?b", b"other.example:1"),
    b"HTTP://localhost": (b"/", b"localhost"),
    b"https://localhost?x=1": (b"/?x=1", b"localhost"),
    b"/a?b": (b"/a?b", b"given"),
    b"*": (b"*", b"given"),
}


@pytest.mark.parametrize("target", ABSOLUTE)
def test_the_host_of_an_absolute_target_replaces_the_header(target: bytes) -> None:
    """RFC 9112, section 3.2.2."""
    path, headers = origin_form(target, [(b"host", b"given"), (b"x", b"y")])
    assert (path, dict(headers)[b"host"]) == ABSOLUTE[target]
    assert len(headers) == 2


@both
def test_absolute_targets_are_served(server: Server) -> None:
    """As a path."""
    with connect(server) as client:
        client.sendall(b"GET https://localhost/late?0 HTTP/1.1\r\nhost: other\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
