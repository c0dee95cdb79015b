"""The start of a serving process: the last look at Hypercorn's Config, and a refusal that shows."""

import multiprocessing
import os
import signal
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from socket import socket

    from hypercorn.config import Config


def checked(
    serve: "Callable[..., Awaitable[None]]",
    on_config: "Callable[[Config], None]",
    on_sockets: "Callable[[Config, Sequence[socket]], None]",
) -> "Callable[..., Awaitable[None]]":
    """Let `on_config` see the Config that Hypercorn runs with, command line included, first.

    It refuses by raising SystemExit with a message (or calling refuse_start itself). `on_sockets`
    is told what it listens on.
    """

    @wraps(serve)
    async def checked_serve(app: Any, config: "Config", **named: Any) -> None:
        try:
            on_config(config)
        except SystemExit as refusal:
            refuse_start(refusal.code if isinstance(refusal.code, str) else "not started")
        if (sockets := named.get("sockets")) is not None:
            on_sockets(config, [*sockets.secure_sockets, *sockets.insecure_sockets])
        await serve(app, config, **named)

    return checked_serve


def refuse_start(message: str) -> NoReturn:
    """End the whole command with this message on stderr, once, and a status that isn't 0.

    With workers = 0 that is an exit. With workers >= 1 Hypercorn's supervisor, which imports
    nothing of ours, exits 0 whatever its workers say (Hypercorn #269, a fix proposed in #372): so
    the first worker that refuses has the others stop, and ends the supervisor by a signal.
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        sys.exit(message)
    stopping = _shutdown_event()
    if stopping.is_set():
        sys.exit(1)  # another worker has said it
    stopping.set()
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - there is no log yet
    # SIGTERM would be taken for an orderly stop. (As process 1 of a container the supervisor
    # can't be ended by its child: there it stops with status 0, and only the message tells.)
    if supervisor.pid is not None and supervisor.pid == os.getppid():
        os.kill(supervisor.pid, signal.SIGUSR1)
    os._exit(1)


def _shutdown_event() -> Any:
    """Find the event by which Hypercorn's supervisor stops its workers."""
    return multiprocessing.current_process()._kwargs["shutdown_event"]  # type: ignore[attr-defined]  # noqa: SLF001
