"""The drain: after SIGTERM a server goes on accepting, and each connection ends in order."""

import http.client
import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from h2.events import ConnectionTerminated

from tests.model.processes import is_running
from tests.server.clients import Client, stats
from tests.server.servers import Server, is_refused, serving, until
from tests.server.test_respawn import events, started
from tls.development import Paths

LONG_S = 600


@contextmanager
def draining(pair: Paths, workers: int = 0, drain_s: float = LONG_S) -> Iterator[Server]:
    """Run a server that drains for ten minutes, or so long."""
    settings = {"workers": workers, "graceful_timeout": LONG_S}
    with serving(pair, hardened=True, settings=settings, drain_s=drain_s, linger_s=0.3) as server:
        until(lambda: len(started(server)) == workers)
        yield server


def has_begun(server: Server, processes: int = 1) -> bool:
    """Whether so many processes have said that they drain."""
    return len(events(server, "draining")) == processes


def http1(server: Server) -> http.client.HTTPSConnection:
    """Return a new HTTP/1.1 connection."""
    trust = ssl.create_default_context(cafile=str(server.ca))
    return http.client.HTTPSConnection("localhost", server.port, context=trust, timeout=20)


def response_of(connection: http.client.HTTPSConnection, path: str = "/stats") -> tuple[Any, Any]:
    """Return the body of a response, and what it says of the connection."""
    connection.request("GET", path)
    with connection.getresponse() as response:
        return response.read(), response.getheader("connection")


def test_connections_of_a_drain_end_in_order(pair: Paths) -> None:
    """Open, idle, busy and new ones: each gets its responses, and hears that it ends."""
    with draining(pair) as server, ExitStack() as opened:
        idle1, new1 = (opened.enter_context(closing(http1(server))) for _ in range(2))
        assert response_of(idle1)[1] is None
        busy, idle2 = (opened.enter_context(Client(server)) for _ in range(2))
        idle2.get("/stats")
        stream = busy.open("/count")
        until(lambda: stats(server)["running"] == 1)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: has_begun(server))
        # An idle connection: HTTP/2 hears it at once, HTTP/1.1 with its next response.
        assert idle2.wait(lambda: idle2.seen(ConnectionTerminated))
        assert response_of(idle1)[1] == "close"
        # A busy one may go on until it is idle.
        assert json.loads(busy.get("/stats"))["running"] == 1
        busy.send(stream, b"x")
        assert busy.wait(lambda: busy.seen(ConnectionTerminated))
        assert busy.body(stream) == b"1"
        # New ones are accepted, one after the other.
        for _ in range(2):
            new2 = opened.enter_context(Client(server))
            assert json.loads(new2.get("/stats"))["pid"]
            assert new2.wait(lambda new2=new2: new2.seen(ConnectionTerminated))
        assert response_of(new1)[1] == "close"
        assert server.stop() == 0  # the second SIGTERM
        assert not [line for line in server.lines if "Traceback" in line]


def test_ctrl_c_does_not_drain(pair: Paths) -> None:
    """It ends the service at once."""
    with draining(pair) as server:
        stats(server)
        assert server.stop(signal.SIGINT) == 0
        assert not has_begun(server)


def test_all_serving_processes_drain(pair: Paths) -> None:
    """Requests are served meanwhile; a SIGTERM that also reaches the others is no second one."""
    with draining(pair, 2) as server:
        serving_processes = started(server)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: has_begun(server, 2))
        for process in (*_workers(server), *serving_processes):
            os.kill(process, signal.SIGTERM)  # as a service manager may
        time.sleep(0.3)
        assert {json.loads(_get(server))["pid"] for _ in range(4)} <= set(serving_processes)
        for process in _workers(server):
            os.kill(process, signal.SIGINT)  # as Ctrl+C does
        assert server.process.wait(20) == 0
        assert not any(map(is_running, serving_processes))


def test_the_drain_ends_by_itself(pair: Paths) -> None:
    """Then nothing listens any more; requests finish, and who never sent one delays nothing."""
    with (
        draining(pair, drain_s=0.5) as server,
        Client(server) as client,
        socket.create_connection(("localhost", server.port), timeout=20),
    ):
        stream = client.open("/count")
        until(lambda: stats(server)["running"] == 1)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: has_begun(server))
        until(lambda: is_refused(server))
        client.send(stream, b"x")
        assert client.wait(lambda: client.ended(stream))
        assert server.process.wait(20) == 0


def _workers(server: Server) -> list[int]:
    """Return the worker processes: each has forked a serving process."""
    return [_parent(pid) for pid in started(server)]


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[1])


def _get(server: Server) -> bytes:
    with closing(http1(server)) as connection:
        return bytes(response_of(connection)[0])
