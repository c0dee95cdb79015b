"""HTTP/1.1: early responses, clients that disconnect, and request smuggling."""

import socket
import ssl
import subprocess
from contextlib import suppress

import httpx2

from tests.server.clients import settled_stats, stats
from tests.server.servers import Server, both, soon, until

HEAD = "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n"


def connect(server: Server) -> ssl.SSLSocket:
    """Open a TLS connection without HTTP/2."""
    context = ssl.create_default_context(cafile=str(server.ca))
    bare = socket.create_connection(("127.0.0.1", server.port), server.patience_s)
    return context.wrap_socket(bare, server_hostname="localhost")


@both
def test_client_that_reads_late_gets_the_early_response(server: Server) -> None:
    """A client that sends its whole body before it reads gets the 401, and then the end."""
    with connect(server) as client:
        client.sendall(HEAD.format("/refuse", 3_000_000).encode())
        for _ in range(30):
            assert send(client, bytes(100_000))
        reply = read_all(client)
        assert reply.startswith(b"HTTP/1.1 401")
        assert reply.endswith(b"refused")
        assert b"connection: close" in reply


def read_all(client: ssl.SSLSocket) -> bytes:
    """Read to the end of the connection."""
    reply = b""
    while piece := client.recv(65536):
        reply += piece
    return reply


def send(client: ssl.SSLSocket, data: bytes) -> bool:
    """Send; return whether that succeeded."""
    try:
        client.sendall(data)
    except OSError:
        return False
    return True


def test_httpx_sees_the_early_status(hardened: Server) -> None:
    """The same with httpx, several times."""
    trust = ssl.create_default_context(cafile=str(hardened.ca))
    url = f"https://localhost:{hardened.port}/refuse"
    with httpx2.Client(verify=trust, timeout=hardened.patience_s) as client:
        for _ in range(5):
            assert client.post(url, content=bytes(8_000_000)).status_code == 401


def test_curl_sees_the_early_status(hardened: Server) -> None:
    """Curl prints the status over either protocol, and exits with 0."""
    for protocol in ("--http1.1", "--http2"):
        done = subprocess.run(
            [
                *("curl", "-sS", protocol, "--cacert", hardened.ca, "--data-binary", "@-"),
                *("-w", "%{http_code} %{http_version}", "-o", "/dev/null"),
                *("-H", "Expect:", f"https://localhost:{hardened.port}/refuse"),
            ],
            input=bytes(3_000_000),
            capture_output=True,
            check=False,
        )
        assert done.stdout in {b"401 1.1", b"401 2"}, done.stderr
        assert done.returncode == 0, done.stderr


@both
def test_disconnecting_cancels_the_handler(server: Server) -> None:
    """A handler that reads nothing is cancelled when its client closes the connection."""
    before = settled_stats(server)["running"]
    with connect(server) as client:
        client.sendall(HEAD.format("/unread", 100_000).encode() + bytes(20_000))
        until(lambda: stats(server)["running"] == before + 1)
    assert soon(lambda: stats(server)["running"] == before, server.patience_s)


def test_keep_alive_still_works(hardened: Server) -> None:
    """Complete requests still share one connection."""
    with connect(hardened) as client:
        for _ in range(3):
            client.sendall(HEAD.format("/count", 5).encode() + b"12345")
            reply = client.recv(65536)
            while not reply.endswith(b"\r\n\r\n5"):
                reply += client.recv(65536)
            assert b"connection: close" not in reply


def test_body_without_end_ends_the_connection(hardened: Server) -> None:
    """A client that goes on sending after its response is disconnected."""
    with connect(hardened) as client:
        client.sendall(HEAD.format("/refuse", 10**12).encode())
        until(lambda: not send(client, bytes(1_000_000)))


@both
def test_a_body_of_two_lengths_is_refused(server: Server) -> None:
    """What follows is not served as a request: a proxy may have read it as body."""
    second = b"GET /second HTTP/1.1\r\nhost: localhost\r\n\r\n"
    head = "POST /count HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n"
    with connect(server) as client:
        body = b"0\r\n\r\n" + second
        client.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        client.settimeout(server.patience_s)
        reply = b""
        with suppress(TimeoutError):
            reply = client.recv(65536)
            while piece := client.recv(65536):
                reply += piece
    assert [reply.count(b"HTTP/1.1 "), reply[:12]] == [1, b"HTTP/1.1 400"]


@both
def test_there_is_no_upgrade_to_http2(server: Server) -> None:
    """The request is answered over HTTP/1.1."""
    with connect(server) as client:
        client.sendall(
            b"GET /stats HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, http2-settings\r\n"
            b"upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n"
        )
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
