"""The log: JSON lines on standard output."""

import contextlib
import sys

from middleware.log import entry


def log_event(**facts: object) -> None:
    """Log what happened to the service itself; `event` names it."""
    write_line(entry(**facts))


def write_line(line: str) -> None:
    """Write a line of the log; a line that cannot be written stops nothing."""
    with contextlib.suppress(OSError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
