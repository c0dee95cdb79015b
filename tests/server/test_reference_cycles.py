"""An ended connection is freed at once: its buffers do not wait for the garbage collector."""

import asyncio
import gc
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config

from server import connections
from server.connections import Connection
from server.options import ServerOptions
from server.serving import Server
from tests.server.clients import Client
from tests.server.servers import Server as Running
from tests.server.uploads_app import app
from tls.development import Paths

CONNECTIONS = 5
UPLOAD = b"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50_000
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the server does."""
    return "asyncio"


@asynccontextmanager
async def serving(pair: Paths) -> AsyncIterator[Running]:
    """Run the server in this process."""
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.certfile, config.keyfile = str(pair.certificate), str(pair.key)
    config.errorlog = None
    sockets = config.create_sockets()
    sockets.secure_sockets[0].listen()  # clients may come before the server does
    stop = asyncio.Event()
    server = Server(ServerOptions(linger_s=0.1))
    wrapped: Any = app
    task = asyncio.create_task(
        server.serve(ASGIWrapper(wrapped), config, sockets=sockets, shutdown_trigger=stop.wait)
    )
    process: Any = None
    running = Running(process, hardened=True, certfile=pair.certificate, ca=pair.ca)
    running.port = sockets.secure_sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        stop.set()
        await task


@contextmanager
def connected(server: Running) -> Iterator[ssl.SSLSocket]:
    """Connect with HTTP/1.1."""
    context = ssl.create_default_context(cafile=server.ca)
    with (
        socket.create_connection(("127.0.0.1", server.port), 20) as bare,
        context.wrap_socket(bare, server_hostname="localhost") as secured,
    ):
        yield secured


def refused_upload(server: Running) -> None:
    """Read the early response to its end, without sending the rest of the body."""
    with connected(server) as secured:
        secured.sendall(UPLOAD)
        while secured.recv(65536):
            pass


def request(server: Running) -> None:
    """Get a response, and close."""
    with connected(server) as secured:
        secured.sendall(b"GET /count HTTP/1.1\r\nHost: x\r\n\r\n")
        assert secured.recv(65536)


def reset(server: Running) -> None:
    """Reset the connection within a body: the server's exception refers to its frames."""
    with connected(server) as secured:
        secured.sendall(UPLOAD.replace(b"/refuse", b"/count"))
        secured.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            socket.socket(fileno=secured.detach()).close()


def http2(server: Running) -> None:
    """Get a response over HTTP/2, and close."""
    with Client(server) as client:
        assert client.get("/stats")


async def left(server: Running, client: Callable[[Running], None], patience_s: float = 10) -> int:
    """Return how many connections are not freed after they have ended, without a collection."""
    for _ in range(2):  # so that what is made once exists
        await asyncio.to_thread(client, server)
    await settled(0, 1)
    gc.collect()
    before = count()
    gc.disable()
    try:
        for _ in range(CONNECTIONS):
            await asyncio.to_thread(client, server)
        return await settled(before, patience_s) - before
    finally:
        gc.enable()


def count() -> int:
    """Return how many connections exist in this process."""
    return sum(type(each) is Connection for each in gc.get_objects())


async def settled(expected: int, patience_s: float) -> int:
    """Wait until no more connections than expected exist; return how many there are."""
    for _ in range(round(patience_s * 20)):
        if count() <= expected:
            break
        await asyncio.sleep(0.05)
    return count()


@pytest.mark.parametrize("client", [refused_upload, request, reset, http2])
async def test_an_ended_connection_is_freed(pair: Paths, client: Callable[[Running], None]) -> None:
    """Whoever ends it, and however."""
    async with serving(pair) as server:
        assert await left(server, client) == 0


async def test_cycles_would_keep_it(pair: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with the frames of the reader's exception the connections stay."""
    monkeypatch.setattr(connections, "break_cycles", lambda _reader, _protocol: None)
    async with serving(pair) as server:
        assert await left(server, reset, patience_s=0.5) > 0
    gc.collect()
