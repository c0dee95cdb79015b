"""How a child process reports the exception that ended it, and how an exit status reads in a log.

An exception's own text may quote an image, so only its class and the line that raised it are sent.
A child that has been taken over chooses what it sends, so the parent checks that, too.
"""

import builtins
import re
import signal
from pathlib import Path
from types import TracebackType

from model.sandbox.lock import SeveralThreads

_MODEL = Path(__file__).resolve().parents[1]


class SelfTestFailed(Exception):
    """An engine did not read the page it rendered as a test."""


_OWN = {each.__name__ for each in (SelfTestFailed, SeveralThreads)}


def crash_report(error: BaseException) -> str:
    """Return an exception's class and the line that raised it: "KeyError at engine.py:12"."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = Path(trace.tb_frame.f_code.co_filename).name
    return f"{type(error).__name__} at {file}:{trace.tb_lineno}"


def checked_report(report: object) -> str:
    """Return a crash report with everything replaced that is not a known class or file name."""
    match = re.fullmatch(r"(\w{1,40}) at (\w{1,40}\.py):(\d{1,5})", str(report), re.ASCII)
    if match is None:
        return "an exception in a library"
    kind, file, line = match.groups()
    known = kind in _OWN or isinstance(getattr(builtins, kind, None), type)
    place = f"{file}:{line}" if any(_MODEL.rglob(file)) else "a library"
    return f"{kind if known else 'an exception'} at {place}"


def describe_exit(status: int) -> str:
    """Return an exit status in words: a signal's name, or the number."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}: a forbidden system call" if name == "SIGSYS" else name
