"""Replacement of serving processes that die. Worker processes import this, and little else."""

from server import respawn
from service.log import choose_format, log_event

FORMATS = {b"a": "auto", b"t": "text", b"j": "json"}


def supervise() -> None:
    """Return in a process that is to serve; with `workers` above 0 that is a fork of this one."""
    choose_format("auto")  # a worker process has not read the settings
    respawn.supervise(log_event, hear=lambda message: choose_format(FORMATS[message]))


def choose_format_of_all(wanted: str) -> None:
    """Choose the log's format for this process and for its worker process, which has one log."""
    choose_format(wanted)
    forked = respawn.current()
    if forked is not None:
        forked.tell(next(message for message, name in FORMATS.items() if name == wanted))
