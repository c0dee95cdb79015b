"""A serving process that dies is replaced; one that keeps dying ends the command, and says so."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest
from h2.events import StreamReset

from server import respawn
from tests.model.processes import children_of, is_running
from tests.server.clients import Client, stats
from tests.server.servers import STOCK_FAILS, Server, is_refused, serving, until
from tls.development import Paths


def events(server: Server, name: str) -> list[dict[str, Any]]:
    """Return the log's events of a name so far."""
    found = [json.loads(line) for line in server.lines if line.startswith("{")]
    return [event for event in found if event["event"] == name]


def started(server: Server) -> list[int]:
    """Return the serving processes that run."""
    pids = [int(event["pid"]) for event in events(server, "worker_started")]
    return [pid for pid in pids if is_running(pid)]


def has_died(server: Server, times: int) -> bool:
    """Whether the log has so many deaths."""
    return len(events(server, "worker_died")) == times


def has_ended(pid: int) -> bool:
    """Whether a process has ended."""
    return not is_running(pid)


def refuses(client: Client) -> bool:
    """Whether a connection accepts no further request."""
    stream = client.open("/late?0", "GET", end=True)
    client.wait(lambda: client.ended(stream) or client.seen(StreamReset, stream))
    return client.seen(StreamReset, stream) is not None


@contextmanager
def supervised(
    pair: Paths, workers: int, graceful_timeout: int = 3, **options: Any
) -> Iterator[Server]:
    """Run a server with so many serving processes, all started."""
    settings = {"workers": workers, "graceful_timeout": graceful_timeout}
    with serving(pair, hardened=True, settings=settings, **options) as server:
        until(lambda: len(started(server)) == workers)
        yield server


@pytest.mark.parametrize("workers", [1, 2])
def test_a_dead_serving_process_is_replaced(pair: Paths, workers: int) -> None:
    """The log says which one died and how; requests are served; a shutdown is orderly."""
    with supervised(pair, workers) as server:
        before = started(server)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(events(server, "worker_started")) == workers + 1)
        [died] = events(server, "worker_died")
        assert died == {
            "event": "worker_died",
            "pid": before[0],
            "signal": "SIGKILL",
            "replaced": True,
        }
        after = started(server)
        assert len(after) == workers
        assert before[0] not in after
        stats(server)
        assert server.stop() == 0
        assert not any(map(is_running, after))
        assert len(events(server, "worker_died")) == 1


@pytest.mark.parametrize("hardened", [pytest.param(False, marks=STOCK_FAILS), True])
def test_the_service_outlives_a_worker(pair: Paths, *, hardened: bool) -> None:
    """Control: stock Hypercorn ends when one of two dies, with status 0."""
    with serving(pair, hardened=hardened, settings={"workers": 2}) as server:
        running = "Running on https"
        until(lambda: sum(running in line for line in server.lines) == 2)
        victim = started(server)[0] if hardened else max(children_of(server.process.pid))
        os.kill(victim, signal.SIGKILL)
        until(
            lambda: (
                server.process.poll() is not None
                or sum(running in line for line in server.lines) == 3
            )
        )
        assert server.process.poll() is None
        assert server.stop() == 0


def test_one_that_keeps_dying_ends_the_service(pair: Paths) -> None:
    """Not with status 0; the log says that it is not replaced any more."""
    with supervised(pair, 1, backoff_s=0.01) as server:
        for deaths in range(1, 6):
            [serving_process] = until(lambda: started(server))
            os.kill(serving_process, signal.SIGKILL)
            until(partial(has_died, server, deaths))
        assert server.process.wait(20) != 0
        replaced = [event["replaced"] for event in events(server, "worker_died")]
        assert replaced == [True] * 4 + [False]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_worker_process_ends_the_service(pair: Paths, workers: int) -> None:
    """Nothing would replace its serving process: not with status 0, and with a line in the log."""
    with supervised(pair, workers) as server:
        [victim, *_] = [pid for pid in children_of(server.process.pid) if children_of(pid)]
        serving_processes = started(server)
        os.kill(victim, signal.SIGKILL)
        assert server.process.wait(20) != 0
        until(lambda: not any(map(is_running, serving_processes)))
        assert events(server, "worker_died") == [
            {"event": "worker_died", "pid": victim, "replaced": False}
        ]


def test_serving_processes_end_with_the_supervisor(pair: Paths) -> None:
    """They don't hold the port when it is killed."""
    with supervised(pair, 2) as server:
        serving_processes = started(server)
        server.process.kill()
        until(lambda: not any(map(is_running, serving_processes)))
        until(lambda: is_refused(server))


def test_sighup_restarts_the_serving_processes(pair: Paths) -> None:
    """In order, and without a death."""
    with supervised(pair, 2) as server:
        before = started(server)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(started(server)) == 2 and not set(started(server)) & set(before))
        assert server.stop() == 0
        assert not events(server, "worker_died")


def test_sigterm_ends_a_worker_process_in_order(pair: Paths) -> None:
    """Hypercorn starts another one."""
    with supervised(pair, 1) as server:
        before = started(server)
        [victim] = [pid for pid in children_of(server.process.pid) if children_of(pid)]
        os.kill(victim, signal.SIGTERM)
        until(lambda: started(server) and not set(started(server)) & set(before))
        assert server.stop() == 0
        assert not events(server, "worker_died")


class Locked:
    """A shutdown event whose lock is held when a SIGTERM arrives."""

    held = False

    def is_set(self) -> bool:
        """Fail where multiprocessing's own event would wait for ever."""
        assert not self.held
        self.held = True
        os.kill(os.getpid(), signal.SIGTERM)
        self.held = False
        return False


def test_sigterm_does_not_ask_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may arrive while the same process asks it; the next poll sees the signal."""
    monkeypatch.setattr(respawn, "shutdown_event", Locked)
    monkeypatch.setattr(multiprocessing, "parent_process", multiprocessing.current_process)
    monkeypatch.setattr(type(multiprocessing.current_process()), "is_alive", lambda _: True)
    worker = respawn._WorkerProcess(print, hear=print)
    before = signal.signal(signal.SIGTERM, worker._on_sigterm)
    try:
        assert not worker._is_stopping()
        assert worker._is_stopping()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_failing_import_ends_the_service(pair: Paths) -> None:
    """One that never served is not replaced."""
    options = {"crash_import": "broken", "settings": {"workers": 1}}
    with pytest.raises(RuntimeError, match="broken"), serving(pair, hardened=True, **options):
        pass


def test_all_serving_processes_finish_their_requests(pair: Paths) -> None:
    """Also the slower one: Hypercorn sends SIGTERM to the others when the first has ended."""
    with supervised(pair, 2, graceful_timeout=600) as server, ExitStack() as opened:
        clients: dict[int, Client] = {}
        while len(clients) < 2:
            client = opened.enter_context(Client(server))
            clients.setdefault(json.loads(client.get("/stats"))["pid"], client)
        late = {pid: (client, client.open("/count")) for pid, client in clients.items()}
        for client in clients.values():
            assert json.loads(client.get("/stats"))["running"] == 1
        server.process.send_signal(signal.SIGTERM)
        for client in clients.values():
            until(partial(refuses, client))
        for pid, (client, stream) in late.items():
            client.send(stream, b"x")
            assert client.wait(partial(client.ended, stream))
            assert client.body(stream) == b"1"
            client.socket.close()
            until(partial(has_ended, pid))
            time.sleep(0.5)  # for Hypercorn's SIGTERM to the other one, if it is still there
        assert server.process.wait(20) == 0
