"""Bulk data between processes: memory files, made by the parent, whose size and content are fixed.

An upload is sealed before a child gets it. What a child fills is a room of a fixed size that it
cannot leave; once the child is gone, and with it whatever it had mapped, the parent cuts the room
to its content and seals it. Source: memfd_create(2), fcntl(2) "File Sealing".
"""

import fcntl
import os

_FUTURE_WRITE = 0x10  # F_SEAL_FUTURE_WRITE, since Linux 5.1; Python has no name for it yet
# F_SEAL_WRITE would refuse mappings that are there already, too, but nobody is left to have one:
# its filter lets a decoder start no process.
# And it waits until the kernel itself has let go of each page (memfd_wait_for_pins): milliseconds
# on a busy machine, after a sixth of a second EBUSY.
_KEPT = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | _FUTURE_WRITE | fcntl.F_SEAL_SEAL


def copy(name: str, data: bytes) -> int:
    """Return the descriptor of a sealed memory file holding `data`."""
    descriptor = _create(name)
    try:
        fill(descriptor, data)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _KEPT)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def room(name: str, size_bytes: int) -> int:
    """Return the descriptor of a memory file of zeros, to be written to but not to grow.

    It takes memory only where it is written.
    """
    descriptor = _create(name)
    try:
        os.ftruncate(descriptor, size_bytes)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def fill(descriptor: int, data: bytes) -> int:
    """Write a file's content from its beginning; return its length. Raises OSError."""
    view = memoryview(data)
    position = 0
    while position < len(data):  # os.pwrite alone may stop in the middle
        position += os.pwrite(descriptor, view[position:], position)
    return position


def close_room(descriptor: int, size_bytes: int) -> None:
    """Cut a room to its content and freeze it for every holder, the caller included.

    Who filled it must be gone: what a process has mapped by then it can go on writing to. Raises
    OSError where the room was made smaller than that.
    """
    os.ftruncate(descriptor, size_bytes)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _KEPT)


def read(descriptor: int, size_bytes: int) -> bytes:
    """Return the first bytes. Raises ValueError where there are fewer."""
    parts, position = [], 0
    while position < size_bytes:
        parts.append(os.pread(descriptor, size_bytes - position, position))
        if not parts[-1]:
            raise ValueError(f"{position} bytes, not {size_bytes}")
        position += len(parts[-1])
    return b"".join(parts)


def _create(name: str) -> int:
    return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
