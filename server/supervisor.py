"""What a process does to Hypercorn's supervisor, which imports nothing of ours."""

import fcntl
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

USES = ("multiprocessing.process:BaseProcess._kwargs", "os:_exit")

REFUSED = os.EX_CONFIG
"""The exit status of a serving process that has refused to start, and has said why."""


def shutdown_event() -> Any:
    """Return the event by which Hypercorn's supervisor stops its workers; None with workers = 0."""
    if multiprocessing.parent_process() is None:
        return None
    process: Any = multiprocessing.current_process()
    return process._kwargs.get("shutdown_event")  # noqa: SLF001


def end_supervisor() -> None:
    """End Hypercorn's supervisor with a status that is not 0.

    It exits with 0 whatever its workers exit with; SIGTERM would be an orderly stop. (As process 1
    of a container it cannot be ended by its child: there it stops with 0, and only the log tells.)
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is not None and supervisor.pid is not None and supervisor.is_alive():
        os.kill(supervisor.pid, signal.SIGUSR1)


def refuse(message: str) -> NoReturn:
    """End a serving process that can't start; of several, the first one says why."""
    stopping = shutdown_event()
    with _one_process_at_a_time():
        if not stopping.is_set():
            stopping.set()
            os.write(2, f"{message}\n".encode())
    os._exit(REFUSED)


@contextmanager
def _one_process_at_a_time() -> Iterator[None]:
    """Hold a lock of all serving processes: on this file, which they all have imported."""
    with Path(__file__).open() as file:
        with suppress(OSError):  # a file system without locks: at worst, it is said twice
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
