"""100 Continue is sent once the application reads the body, and never to a refused request."""

import ssl
import subprocess

import h2.events
import pytest

from tests.server.clients import Client
from tests.server.servers import Server, both
from tests.server.test_http1 import connect

INFORMED = h2.events.InformationalResponseReceived
HEAD = "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n"


def reply_to(client: ssl.SSLSocket, path: str) -> bytes:
    """Send a head that expects 100 Continue; return what comes first."""
    client.sendall(HEAD.format(path).encode())
    return client.recv(65536)


@both
def test_a_refused_request_gets_no_100(server: Server) -> None:
    """Its first response is the final one: the client never sends its body."""
    with connect(server) as client:
        assert reply_to(client, "/refuse").startswith(b"HTTP/1.1 401 ")


def test_a_served_request_gets_one(hardened: Server) -> None:
    """When its body is read."""
    with connect(hardened) as client:
        assert reply_to(client, "/count").startswith(b"HTTP/1.1 100 ")
        client.sendall(b"12345")
        final = client.recv(65536)
        while not final.endswith(b"\r\n\r\n5"):
            final += client.recv(65536)
        assert final.startswith(b"HTTP/1.1 200 ")


def test_a_client_that_does_not_wait_gets_none(hardened: Server) -> None:
    """Its body is there already."""
    with connect(hardened) as client:
        client.sendall(HEAD.format("/late?0.1").encode() + b"12345")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("path", "informed"), [("/refuse", False), ("/count", True)])
def test_over_http2(hardened: Server, path: str, *, informed: bool) -> None:
    """The same."""
    head = {":method": "POST", ":path": path, ":scheme": "https", ":authority": "localhost"}
    with Client(hardened) as client:
        stream = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream, [*head.items(), ("expect", "100-continue")])
        client.flush()
        client.wait(lambda: client.seen(INFORMED, stream) or client.status(stream))
        assert (client.seen(INFORMED, stream) is not None) is informed
        client.send(stream, b"12345")
        assert client.wait(lambda: client.status(stream) == (200 if informed else 401))


@pytest.mark.parametrize(("path", "status"), [("/refuse", b"401"), ("/count", b"200")])
def test_curl_waits_and_is_served(hardened: Server, path: str, status: bytes) -> None:
    """Curl expects 100 Continue for a large body; refused, it sends none of it."""
    done = subprocess.run(
        [
            *("curl", "-sS", "--http1.1", "--cacert", hardened.ca, "--data-binary", "@-"),
            *("--expect100-timeout", "60", "-H", "Expect: 100-continue", "-o", "/dev/null"),
            *("-w", "%{http_code} %{size_upload}", f"https://localhost:{hardened.port}{path}"),
        ],
        input=bytes(3_000_000),
        capture_output=True,
        check=False,
    )
    sent = b"0" if status == b"401" else b"3000000"
    assert done.stdout == status + b" " + sent, done.stderr
