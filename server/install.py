"""Hypercorn with its gaps closed: call `install` when the application is created."""

import logging
import multiprocessing
import os
import signal
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NoReturn

from server.options import ServerOptions
from server.probes import ProbeError, check_all, check_behaviour, imports_of, uses_of

if TYPE_CHECKING:
    from server.patches import ServerHandle

TESTED = {
    "Hypercorn": frozenset({"0.18.0"}),
    "h2": frozenset({"4.4.1"}),
    "Python": frozenset({"3.11", "3.12", "3.13"}),
}
"""The versions that the tests in tests/server ran with."""

USES = ("multiprocessing.process:BaseProcess._kwargs", "os:_exit")

log = logging.getLogger("sealed.transport")


def install(options: ServerOptions) -> "ServerHandle":
    """Have Hypercorn serve by `server.serving` in this process; a later call replaces this one.

    Raises:
        ProbeError: Hypercorn, h2 or Python is not a tested version, and lacks what a module needs.

    """
    untested = {name: found for name, found in _installed().items() if found not in TESTED[name]}
    for name, found in untested.items():
        log.warning(
            "%s %s has not been tested (tested: %s): probing what the server builds on",
            name,
            found,
            ", ".join(sorted(TESTED[name])),
        )
    if untested:
        check_all(imports_of)
        check_all(uses_of)
    # Only now: with an untested version even the import may fail, and the probes explain why.
    from server.patches import apply  # noqa: PLC0415

    handle = apply(options)
    if untested:
        check_behaviour()
    return handle


def _installed() -> dict[str, str]:
    return {
        "Hypercorn": version("hypercorn"),
        "h2": version("h2"),
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def refuse_start(message: str) -> NoReturn:
    """End the whole command with this message on stderr, once, and a status that is not 0.

    With workers = 0 that is an exit. With workers >= 1 Hypercorn's supervisor, which imports
    nothing of ours, exits 0 whatever its workers exit with (Hypercorn #269, a fix proposed in
    #372): so the first worker that refuses stops the others, and ends the supervisor by a signal.
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        sys.exit(message)
    stopping = _shutdown_event()
    if stopping.is_set():
        sys.exit(1)  # another worker has printed it
    stopping.set()
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - there is no log yet
    # SIGTERM would be an orderly stop. (As process 1 of a container the supervisor cannot be ended
    # by its child: there it stops with status 0, and only the message tells.)
    if supervisor.pid is not None and supervisor.pid == os.getppid():
        os.kill(supervisor.pid, signal.SIGUSR1)
    os._exit(1)


def _shutdown_event() -> Any:
    """Return the event by which Hypercorn's supervisor stops its workers."""
    return multiprocessing.current_process()._kwargs["shutdown_event"]  # type: ignore[attr-defined]  # noqa: SLF001


__all__ = ["ProbeError", "ServerOptions", "install", "refuse_start"]
