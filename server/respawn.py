"""Replacement of serving processes that die, with `workers` above 0.

Hypercorn's supervisor ends all workers when one dies, with status 0 (Hypercorn #269, a fix proposed
in #372), and it imports nothing of ours. So each worker process that it starts forks the process
that serves, and forks another one when that dies.
"""

import asyncio
import multiprocessing
import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from server.drain import Stop
from server.supervisor import REFUSED, end_supervisor, shutdown_event

USES = ("os:_exit",)

MAX_DEATHS = 5
DEATHS_WINDOW_S = 60.0
BACKOFF_S = 0.25
"""The wait before the first replacement within DEATHS_WINDOW_S; it doubles with each death."""

POLL_S = 0.1
_STOP, _STOP_AT_ONCE, _STARTED = b"-", b"!", b"+"

Report = Callable[..., object]


class ServingProcess:
    """This process, forked by a worker process, and its link to that."""

    def __init__(self, link: socket.socket, report: Report) -> None:
        self._link = link
        self.tell = link.send  # a byte of the service's own, for `hear` in the worker process
        self._report = report
        self._worker = os.getppid()
        self.stop = Stop()

    def started(self) -> None:
        """Tell the worker process that this process serves; then wait for its message."""
        self._link.send(_STARTED)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._link, self._receive, loop)
        # Hypercorn's supervisor sends it to the others when the first one has ended: it says no
        # more than the message does.
        loop.add_signal_handler(signal.SIGTERM, self.stop.request)

    def _receive(self, loop: asyncio.AbstractEventLoop) -> None:
        message = _receive(self._link)
        if message == _STOP:
            self.stop.request()
            return
        loop.remove_reader(self._link)
        if not message and not self.stop.requested.is_set():
            # Nothing would replace this process. Hypercorn's supervisor has not noticed: this
            # process inherited the pipe by which it would.
            self._report(event="worker_died", pid=self._worker, replaced=False)
            end_supervisor()
        self.stop.request_at_once()


_current: ServingProcess | None = None


def current() -> ServingProcess | None:
    """Return this process, if a worker process has forked it."""
    return _current


def supervise(report: Report, hear: Callable[[bytes], object]) -> None:
    """Return in a process that is to serve; a worker process never returns from here.

    Call it before anything is imported or started that a fork must not copy. `report` writes an
    event to the log; `hear` gets what the serving process tells.
    """
    global _current  # noqa: PLW0603 - a fork returns here, and then imports what asks for it
    if shutdown_event() is None:
        return
    link = _WorkerProcess(report, hear).run()
    _current = ServingProcess(link, report)


class _WorkerProcess:
    """A process that Hypercorn's supervisor has started: it only forks, waits and reports."""

    def __init__(self, report: Report, hear: Callable[[bytes], object]) -> None:
        self._report = report
        self._hear = hear
        self._stopping: Any = shutdown_event()
        self._serving: int | None = None
        self._deaths: deque[float] = deque()
        self._has_started = False
        self._terminated = False
        self._interrupted = False

    def run(self) -> socket.socket:
        """Fork until a serving process ends in order; return the link, in each fork."""
        signal.signal(signal.SIGTERM, self._on_sigterm)
        signal.signal(signal.SIGINT, self._on_sigint)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        while True:
            link, other = socket.socketpair()
            # SIGTERM waits: the new process must not swallow it, which has our handler at first.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
                link.close()
                return other
            self._serving = pid
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
            other.close()
            self._watch(link)
            self._serving = None
            link.close()
            self._ended(pid, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    def _on_sigterm(self, *_: object) -> None:
        """Note it only: the event's lock, which may be held just now, is not reentrant."""
        self._terminated = True

    def _on_sigint(self, *_: object) -> None:
        """Note it: Ctrl+C reaches all processes, and Hypercorn's supervisor starts the stop."""
        self._interrupted = True

    def _is_stopping(self) -> bool:
        return self._terminated or self._stopping.is_set() or not _supervisor_is_alive()

    def _skips_the_drain(self) -> bool:
        """Whether a stop is not to drain: nothing would wait for it, or somebody said so."""
        return self._interrupted or not _supervisor_is_alive()

    def _watch(self, link: socket.socket) -> None:
        """Return when the serving process ends; pass the shutdown, or SIGTERM, on to it.

        It does not ask Hypercorn's event itself: killed at that moment, it would leave a lock
        behind that stops all others.
        """
        told = told_at_once = False
        while True:
            if select.select([link], [], [], POLL_S)[0]:
                if not (message := _receive(link)):
                    return
                if message == _STARTED:
                    self._has_started = True
                    self._report(event="worker_started", pid=self._serving)
                else:
                    self._hear(message)
            if not told and self._is_stopping():
                told = True
                _send(link, _STOP)
            if told and not told_at_once and self._skips_the_drain():
                told_at_once = True
                _send(link, _STOP_AT_ONCE)

    def _ended(self, pid: int, status: int) -> None:
        """Return if another process is to be forked, after a wait; otherwise exit."""
        if status == 0:
            os._exit(0)  # the shutdown, or its last request: Hypercorn starts another worker
        if status == REFUSED:
            end_supervisor()
            os._exit(REFUSED)
        replaced = self._has_started and not self._is_stopping() and self._may_restart()
        how = {"signal": _name(-status)} if status < 0 else {"status": status}
        self._report(event="worker_died", pid=pid, **how, replaced=replaced)
        if replaced:
            self._back_off()
            return
        if not self._is_stopping():
            end_supervisor()
        os._exit(1)

    def _may_restart(self) -> bool:
        """Count a death; return whether there were few enough."""
        now = time.monotonic()
        self._deaths.append(now)
        while now - self._deaths[0] > DEATHS_WINDOW_S:
            self._deaths.popleft()
        return len(self._deaths) < MAX_DEATHS

    def _back_off(self) -> None:
        due = time.monotonic() + BACKOFF_S * 2 ** (len(self._deaths) - 1)
        while time.monotonic() < due:
            if self._is_stopping():
                os._exit(0)
            time.sleep(POLL_S)


def _receive(link: socket.socket) -> bytes:
    try:
        return link.recv(1)
    except ConnectionResetError:  # it ended with an unread message
        return b""


def _supervisor_is_alive() -> bool:
    supervisor = multiprocessing.parent_process()
    return supervisor is not None and supervisor.is_alive()


def _send(link: socket.socket, message: bytes) -> None:
    try:
        link.send(message)
    except OSError:
        return  # it has ended: the next read says so


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return str(number)
