"""Replacement of serving processes that die. Worker processes import this, and little else."""

from server import respawn
from service.log import choose_format, log_event


def supervise() -> None:
    """Return in a process that is to serve; with `workers` above 0 that is a fork of this one."""
    choose_format("auto")  # a worker process has not read the settings
    respawn.supervise(log_event)
