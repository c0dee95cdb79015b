"""A client that was accepted before the shutdown gets the response to its first request."""

import contextlib
import http.client
import signal
import socket
import ssl
from contextlib import ExitStack

import pytest

from tests.server.clients import Client, stats
from tests.server.servers import VARIANTS, Server, is_refused, serving, until
from tls.development import Paths

REQUEST = b"GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n"


def terminate(server: Server) -> None:
    """Send SIGTERM, and wait until nothing listens any more."""
    server.process.send_signal(signal.SIGTERM)
    until(lambda: is_refused(server))


def _answer(server: Server, plain: socket.socket, *, before: bool) -> bytes:
    """Stop the server before or after the handshake; return what a first request gets."""
    trust = ssl.create_default_context(cafile=server.ca)
    with contextlib.suppress(OSError):
        if before:
            terminate(server)
        with trust.wrap_socket(plain, server_hostname="localhost") as secured:
            if not before:
                stats(server)  # whose handshake came later
                terminate(server)
            secured.sendall(REQUEST)
            return secured.recv(65536)
    return b""


@VARIANTS
@pytest.mark.parametrize("before", [True, False])
def test_a_new_connection_gets_one_response(pair: Paths, *, hardened: bool, before: bool) -> None:
    """Accepted, or past its handshake, but without a request yet: its request is answered."""
    settings = {"graceful_timeout": 60}
    with serving(pair, hardened=hardened, settings=settings, linger_s=30) as server:
        with socket.create_connection(("localhost", server.port), timeout=20) as plain:
            stats(server)  # accepted later
            assert _answer(server, plain, before=before).startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(20) == 0


def test_a_new_connection_without_a_request_is_closed(pair: Paths) -> None:
    """It delays the shutdown by linger_s, not by graceful_timeout."""
    with serving(pair, hardened=True, linger_s=0.3, settings={"graceful_timeout": 60}) as server:
        trust = ssl.create_default_context(cafile=server.ca)
        with (
            socket.create_connection(("localhost", server.port), timeout=20) as plain,
            trust.wrap_socket(plain, server_hostname="localhost"),
            socket.create_connection(("localhost", server.port), timeout=20),
        ):
            stats(server)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(20) == 0


def test_stuck_requests_leave_no_traceback(pair: Paths) -> None:
    """What is open at graceful_timeout ends in order: HTTP/1.1, HTTP/2, uploads that go on."""
    options = {"graceful_timeout": 0.3}
    with serving(pair, hardened=True, linger_s=0.5, settings=options) as server:
        with ExitStack() as opened:
            for _ in range(3):
                client = opened.enter_context(Client(server))
                for path in ("/unread", "/endless", "/late?100", "/refuse"):
                    client.send(client.open(path, length=10_000), b"x" * 1000, end=False)
            until(lambda: stats(server)["running"] >= 9)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(20) == 0
        assert not [line for line in server.lines if "Traceback" in line or "never" in line]


@VARIANTS
def test_a_response_in_the_shutdown_announces_the_end(pair: Paths, *, hardened: bool) -> None:
    """Without `Connection: close` the client would send its next request into a closed one."""
    settings = {"graceful_timeout": 600}
    with serving(pair, hardened=hardened, settings=settings) as server:
        trust = ssl.create_default_context(cafile=server.ca)
        with (
            socket.create_connection(("localhost", server.port), timeout=20) as plain,
            trust.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.sendall(b"POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n")
            until(lambda: stats(server)["running"] == 1)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: is_refused(server))
            secured.sendall(b"x")
            response = b"".join(iter(lambda: secured.recv(65536), b""))
            assert response.startswith(b"HTTP/1.1 200 ")
            assert b"\r\nconnection: close\r\n" in response
        assert server.process.wait(20) == 0


def test_a_response_before_the_shutdown_does_not(pair: Paths) -> None:
    """Control: the connection stays open."""
    with serving(pair, hardened=True) as server:
        trust = ssl.create_default_context(cafile=server.ca)
        connection = http.client.HTTPSConnection("localhost", server.port, context=trust)
        with contextlib.closing(connection):
            for _ in range(2):
                connection.request("GET", "/stats")
                with connection.getresponse() as response:
                    assert response.getheader("connection") is None
                    response.read()
