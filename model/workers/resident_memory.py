"""The resident memory of other processes."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_STATM_BYTES = 256


class ResidentMemory:
    """The resident memory of a child process that has just started.

    The file is opened now: a process that cannot be dumped, as children soon are, is hidden from
    this one where /proc is mounted with hidepid (systemd's ProtectProc).
    """

    def __init__(self, pid: int) -> None:
        self._file: int | None = None
        with contextlib.suppress(OSError):  # no descriptors left, or it has exited
            self._file = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)

    def bytes(self) -> int | None:
        """Return how much it has now; None if that cannot be read."""
        try:
            return None if self._file is None else _resident(os.pread(self._file, _STATM_BYTES, 0))
        except OSError:  # it has exited
            return None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def resident_bytes(pid: int | str) -> int | None:
    """Return how much a process has now; None if that cannot be read. "self" is this one."""
    try:
        return _resident(Path(f"/proc/{pid}/statm").read_bytes())
    except OSError:
        return None


def children_of(pid: int) -> list[int]:
    """Return the ids of the children of a process with one thread, as far as they can be seen."""
    try:
        return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())]
    except OSError:
        return []


def known(sizes: Iterable[int | None]) -> list[int]:
    """Return the sizes that could be read."""
    return [size for size in sizes if size is not None]


def _resident(statm: bytes) -> int:
    return int(statm.split()[1]) * _PAGE_BYTES
