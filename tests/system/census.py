"""What a service's processes are and hold, read from /proc at any moment of their lives.

The descriptors of locked processes are root's alone to count.
"""

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from model.sandbox import kernel
from tests.model.processes import children_of

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_PROC = Path("/proc")
_ENDED = (FileNotFoundError, ProcessLookupError)


@dataclass(slots=True)
class Held:
    """What the processes of one role hold together."""

    processes: int = 0
    resident_mb: float = 0
    descriptors: int = 0


@dataclass(slots=True)
class Census:
    """The processes there were at one moment, and what those of each role held."""

    at_s: float = field(default_factory=time.monotonic)
    pids: set[int] = field(default_factory=set)
    roles: defaultdict[str, Held] = field(default_factory=lambda: defaultdict(Held))

    def count(self, role: str, pid: int) -> None:
        """Add a process that lives; one that has ended has no memory."""
        with contextlib.suppress(*_ENDED):
            status = (_PROC / str(pid) / "status").read_text("ascii")
            if "VmRSS:" in status:
                descriptors = len(list((_PROC / str(pid) / "fd").iterdir()))
                held = self.roles[role]
                held.processes += 1
                held.resident_mb += int(status.partition("VmRSS:")[2].split()[0]) / 1024
                held.descriptors += descriptors
                self.pids.add(pid)


def take_census(web: int) -> Census:
    """Count the web process, the zygote, the engines, and the decoders the zygote forked."""
    census = Census()
    census.count("web", web)
    for child in children_of(web):
        role = _role(child)
        census.count(role, child)
        for grandchild in children_of(child):
            census.count("decoder" if role == "zygote" else "other", grandchild)
    return census


def _role(pid: int) -> str:
    """Return the module that a child of the web process runs."""
    with contextlib.suppress(*_ENDED):
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        return next((name for name in ("zygote", "engine") if name.encode() in words), "other")
    return "other"


class Orphanage:
    """Adopts processes whose parents died, which init would adopt otherwise, unnoticed."""

    def __init__(self) -> None:
        self._ours = children_of(os.getpid())

    def know(self, pid: int) -> None:
        """Take a process for one that we started ourselves."""
        self._ours.add(pid)

    def living(self) -> set[int]:
        """Return the orphans that live; those that have ended are collected."""
        found = set()
        for pid in children_of(os.getpid()) - self._ours:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG) == (0, 0):
                    found.add(pid)
        return found


@contextlib.contextmanager
def orphanage() -> Iterator[Orphanage]:
    """Have orphans left to this process."""
    kernel.prctl(_SUBREAPER, 1)
    try:
        yield Orphanage()
    finally:
        kernel.prctl(_SUBREAPER, 0)
