"""Connections: their limits, their memory, and how they and their process end."""

import json
import os
import signal
import socket
import ssl
import time
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import h2.events
import pytest

from tests.server.clients import Client, stats
from tests.server.servers import PATIENCE_S, VARIANTS, Server, both_tight, serving, soon, until
from tls.development import Paths

WRONG = b"\0\0\1\0\0\0\0\0\0x"  # DATA of no stream
GOODBYE = b"\0\0\x08\7\0\0\0\0\0" + bytes(8)


def connects(server: Server) -> bool:
    """Whether the server accepts one more connection, and completes its handshake."""
    try:
        with Client(server) as client:
            return bool(client.get("/stats"))
    except OSError:
        return False


@both_tight
def test_connections_beyond_the_limit_are_refused(server: Server) -> None:
    """With a limit of four the fifth connection is refused, until one ends (#81)."""
    with ExitStack() as held:

        def hold() -> bool:
            """Hold one more; the server may still be closing those of an earlier test."""
            with suppress(OSError):
                held.enter_context(Client(server))
                return True
            return False

        for _ in range(4):
            assert soon(hold, server.patience_s)
        assert not connects(server)
    assert soon(lambda: connects(server), server.patience_s)


@both_tight
def test_handshakes_count_towards_the_limit(server: Server) -> None:
    """TCP connections count before their handshake, too, until they are closed."""
    with ExitStack() as held:
        for _ in range(4):
            held.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        # Connections are accepted in order: once a fifth is answered, the four are counted.
        assert not connects(server)
    assert soon(lambda: connects(server), server.patience_s)


def test_the_limit_holds_on_the_plain_port(pair: Paths) -> None:
    """Connections without TLS are counted and refused, too."""
    settings = {"insecure_bind": ["127.0.0.1:0"]}
    with serving(pair, hardened=True, settings=settings, max_connections=2) as server:
        address = ("127.0.0.1", until(lambda: server.plain_port))
        with socket.create_connection(address), Client(server):
            with socket.create_connection(address, PATIENCE_S) as third:
                assert third.recv(1) == b""
            assert not connects(server)


@VARIANTS
def test_connection_ends_when_its_client_disconnects(pair: Paths, *, hardened: bool) -> None:
    """Its tasks end at once, not after keep_alive_timeout."""
    with serving(pair, hardened=hardened, settings={"keep_alive_timeout": 600}) as server:
        before = stats(server)["tasks"]
        for _ in range(20):
            connects(server)
        assert soon(lambda: stats(server)["tasks"] < before + 10, server.patience_s)


@VARIANTS
def test_stop_does_not_wait_for_idle_clients(pair: Paths, *, hardened: bool) -> None:
    """With an idle client that ignores TLS's close, SIGTERM sends a GOAWAY and ends promptly."""
    settings = {"graceful_timeout": 600}
    with (
        serving(pair, hardened=hardened, settings=settings, linger_s=0.5) as server,
        Client(server) as client,
    ):
        client.get("/stats")
        server.process.send_signal(signal.SIGTERM)
        assert client.wait(lambda: client.seen(h2.events.ConnectionTerminated), server.patience_s)
        assert server.process.wait(PATIENCE_S) == 0


def test_stop_lets_requests_finish(pair: Paths) -> None:
    """SIGTERM lets an open request finish, refuses new ones, and ends with a GOAWAY."""
    settings = {"graceful_timeout": 600}
    with serving(pair, hardened=True, settings=settings) as server, Client(server) as client:
        running = client.open("/count")
        until(lambda: stats(server)["running"] == 1)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: not connects(server))
        refused = client.open("/late?0", "GET", end=True)
        client.send(running, b"x")
        assert client.wait(lambda: client.closed)
        assert client.status(running) == 200
        assert client.ended(running)
        assert client.seen(h2.events.StreamReset, refused)
        assert client.seen(h2.events.ConnectionTerminated)
        assert server.process.wait(PATIENCE_S) == 0


@VARIANTS
def test_stop_cancels_stuck_requests(pair: Paths, *, hardened: bool) -> None:
    """A request that never ends is cancelled after graceful_timeout."""
    settings = {"graceful_timeout": 0.5}
    with (
        serving(pair, hardened=hardened, settings=settings, linger_s=0.2) as server,
        Client(server) as client,
    ):
        client.open("/unread", "GET", end=True)
        until(lambda: stats(server)["running"] == 1)
        server.process.send_signal(signal.SIGTERM)
        assert soon(lambda: server.process.poll() is not None, server.patience_s)


@pytest.mark.skipif(os.environ.get("WORKER_CLASS") == "uvloop", reason="uvloop is light anyway")
@VARIANTS
def test_idle_connections_take_little_memory(pair: Paths, *, hardened: bool) -> None:
    """A hundred idle TLS connections take less than 20 MB (stock: 30 MB)."""
    with serving(pair, hardened=hardened) as server, ExitStack() as held:
        connects(server)
        before = resident_bytes(server)
        for _ in range(100):
            held.enter_context(Client(server))
        assert (resident_bytes(server) - before) / 100 < 200_000


def resident_bytes(server: Server) -> int:
    """Read a process's resident memory."""
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_scope_tells_the_connections_tls(hardened: Server) -> None:
    """The scope's state has the TLS version and cipher suite."""
    with Client(hardened) as client:
        version, cipher = client.socket.version(), client.socket.cipher()
        assert cipher is not None
        assert stats(hardened)["tls"] == {"version": version, "cipher": cipher[0]}


def test_broken_handshakes_leave_nothing(hardened: Server) -> None:
    """Half a handshake, plain HTTP and a mere TCP connection end when their clients disconnect."""
    for opening in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n\r\n", b""):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", hardened.port)) as bare:
                bare.sendall(opening)
    until(lambda: stats(hardened)["connections"] == 1)
    assert not [line for line in hardened.lines if "Traceback" in line], "\n".join(hardened.lines)


@pytest.mark.skipif(os.environ.get("WORKER_CLASS") == "uvloop", reason="uvloop is light anyway")
@VARIANTS
def test_ended_connections_leave_no_memory(pair: Paths, *, hardened: bool) -> None:
    """After a hundred less than 10 MB are left; stock's buffers wait for the garbage collector."""
    with serving(pair, hardened=hardened) as server:
        for _ in range(5):
            connects(server)
        before = resident_bytes(server)
        with ExitStack() as held:
            for _ in range(100):
                held.enter_context(Client(server))
        assert soon(lambda: resident_bytes(server) - before < 10_000_000, server.patience_s)


def test_a_client_that_disconnects_after_its_handshake_leaves_nothing(hardened: Server) -> None:
    """Neither a connection nor a traceback."""
    for _ in range(20):
        Client(hardened).socket.close()
    until(lambda: stats(hardened)["connections"] == 1)
    assert not [line for line in hardened.lines if "Traceback" in line], "\n".join(hardened.lines)


def test_a_handshake_times_out(pair: Paths) -> None:
    """A client that does not complete it is disconnected after ssl_handshake_timeout."""
    settings = {"ssl_handshake_timeout": 0.5}
    with serving(pair, hardened=True, settings=settings) as server:
        bare, hello = half_a_handshake(server)
        with bare:
            bare.sendall(hello[:-1])
            bare.settimeout(PATIENCE_S)
            began = time.monotonic()
            with suppress(ConnectionResetError):
                assert bare.recv(1) == b""
            assert 0.2 < time.monotonic() - began < PATIENCE_S  # Hypercorn's default is 60 s


def test_a_subnet_has_a_limit_of_connections(pair: Paths) -> None:
    """A subnet's connections beyond its limit are refused, until one of them ends."""
    with serving(pair, hardened=True, max_connections_per_address=3) as server:
        held = [Client(server) for _ in range(3)]
        assert not connects(server)
        held.pop().socket.close()
        until(lambda: connects(server))
        for client in held:
            assert client.get("/stats")
            client.socket.close()


def test_a_subnet_has_a_rate_of_new_connections(pair: Paths) -> None:
    """New connections beyond the rate are closed before their handshake, until later."""
    with serving(pair, hardened=True, new_connections_per_s=2) as server:
        with Client(server) as kept:
            came = [connects(server) for _ in range(30)]
            assert came[:8] == [True] * 8
            assert not all(came)
            assert json.loads(kept.get("/stats"))["refused"] > 0
        until(lambda: connects(server))


@pytest.mark.parametrize(("path", "leaves"), [("/unread", True), ("/refuse", False)])
def test_disconnecting_costs_what_cancelling_does(pair: Paths, path: str, *, leaves: bool) -> None:
    """Otherwise a new connection for every few requests would be a cheaper flood."""
    limits = {"max_connections_per_address": 100, "control_frames_per_s": 10}
    with serving(pair, hardened=True, **limits) as server, Client(server) as kept:

        def running() -> int:
            return int(json.loads(kept.get("/stats"))["running"])

        came = 0
        for _ in range(20):
            with suppress(OSError), Client(server, source="127.0.0.2") as client:
                client.open_many(path, 20)
                came += 1
                if leaves:
                    until(lambda: running() == 20)
                else:
                    assert client.wait(partial(client.ended, 39))
            until(lambda: running() == 0)
        assert (came < 10) == leaves
        assert connects(server)


@pytest.mark.parametrize(
    ("frame", "cut_off"), [(WRONG, True), (GOODBYE, False)], ids=["wrong", "goodbye"]
)
def test_being_disconnected_costs_the_subnet(pair: Paths, frame: bytes, *, cut_off: bool) -> None:
    """Otherwise it could reconnect at once, for a handshake; a client that sends GOAWAY may."""
    limits = {"max_connections_per_address": 100, "control_frames_per_s": 10}
    with serving(pair, hardened=True, **limits) as server:
        came = 0
        for _ in range(30):
            with suppress(OSError), Client(server, source="127.0.0.2") as client:
                client.socket.sendall(frame)
                came += client.wait(lambda: client.closed)
        assert (came < 15) == cut_off
        assert connects(server)


def test_handshakes_are_spread_over_iterations(pair: Paths) -> None:
    """Three hundred at once do not delay a response for as long as they take."""
    with serving(pair, hardened=True) as server, Client(server) as client:
        assert client.get("/stats")
        openings = [half_a_handshake(server) for _ in range(300)]
        began = time.perf_counter()
        for bare, hello in openings:
            bare.sendall(hello)
        assert client.get("/stats")
        answered = time.perf_counter() - began
        for bare, _ in openings:
            bare.recv(1)
        finished = time.perf_counter() - began
        for bare, _ in openings:
            bare.close()
    assert answered < finished / 3


def half_a_handshake(server: Server) -> tuple[socket.socket, bytes]:
    """Connect; return the socket and the ClientHello that it has not sent yet."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=str(server.ca))
    secured = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        secured.do_handshake()
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE_S), outgoing.read()
