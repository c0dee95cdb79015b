"""The log on standard output: JSON lines, or lines of text for a terminal."""

import contextlib
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper

from middleware.log import entry
from service.log_text import text_line


class _Output:
    """What becomes of a line of JSON before it is written: nothing, until a format is chosen."""

    render: Callable[[str], str] = str


def choose_format(wanted: str) -> None:
    """Let this process write "json" or "text"; "auto" is text if standard output is a terminal."""
    terminal = sys.stdout.isatty()
    if wanted == "json" or (wanted == "auto" and not terminal):
        _Output.render = str
        return
    if isinstance(sys.stdout, TextIOWrapper):  # a terminal may have few characters
        sys.stdout.reconfigure(errors="backslashreplace")
    colour = terminal and not os.environ.get("NO_COLOR")
    _Output.render = lambda line: text_line(line, colour=colour)


def log_event(**facts: object) -> None:
    """Log what happened to the service itself; `event` names it."""
    write_line(entry(**facts))


def write_line(line: str) -> None:
    """Write a line of JSON to the log; a line that cannot be written stops nothing."""
    with contextlib.suppress(OSError):
        sys.stdout.write(_Output.render(line) + "\n")
        sys.stdout.flush()
