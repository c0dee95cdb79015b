"""Who has been accepted when the process is told to stop still gets the answer it came for."""

import contextlib
import signal
import socket
import ssl
import time

import pytest

from tests.server.clients import stats
from tests.server.servers import VARIANTS, Server, serving
from tls.development import Paths

REQUEST = b"GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
PAUSE_S = 0.2  # for the signal to be taken; it is less than linger_s


def _answer(server: Server, plain: socket.socket, *, before: bool) -> bytes:
    """Stop the server before or after the handshake; return what a first request gets."""
    trust = ssl.create_default_context(cafile=server.ca)
    with contextlib.suppress(OSError):
        if before:
            server.process.send_signal(signal.SIGTERM)
            time.sleep(PAUSE_S)
        with trust.wrap_socket(plain, server_hostname="localhost") as hardened:
            if not before:
                time.sleep(PAUSE_S)
                server.process.send_signal(signal.SIGTERM)
                time.sleep(PAUSE_S)
            hardened.sendall(REQUEST)
            return hardened.recv(65536)
    return b""


@VARIANTS
@pytest.mark.parametrize("before", [True, False])
def test_a_new_connection_may_ask_once(pair: Paths, *, hardened: bool, before: bool) -> None:
    """Accepted, or through its handshake, but without a request yet: it is answered."""
    with serving(pair, hardened=hardened) as server:
        with socket.create_connection(("localhost", server.port), timeout=20) as plain:
            time.sleep(PAUSE_S)
            assert _answer(server, plain, before=before).startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(10) == 0


def test_a_new_connection_that_does_not_ask_is_closed(pair: Paths) -> None:
    """It holds the end up for linger_s, not for graceful_timeout."""
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
