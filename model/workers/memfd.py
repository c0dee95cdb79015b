"""Memory files (memfd): bulk data between processes, with size and content protected by seals.

The parent creates every one of them. A sealed copy can't be changed by anyone. An output buffer has
a fixed size and is filled by a child; when that child has exited, and its mappings with it, the
parent truncates the buffer to its content and seals it.
Source: memfd_create(2), fcntl(2) "File Sealing".
"""

import fcntl
import os

from model.workers.descriptors import busy_without_descriptors

_FUTURE_WRITE = 0x10  # F_SEAL_FUTURE_WRITE, since Linux 5.1; Python has no name for it yet
# F_SEAL_WRITE would also refuse while a writable mapping exists, but by then no process has one: a
# decoder's filter lets it start no process. And it waits until the kernel has released every page
# (memfd_wait_for_pins): milliseconds on a busy machine; after a sixth of a second it is EBUSY.
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | _FUTURE_WRITE | fcntl.F_SEAL_SEAL


def sealed_copy(name: str, data: bytes) -> int:
    """Return the descriptor of a sealed memory file that contains `data`.

    Raises:
        OSError: there is no memory left.
        Busy: there is no descriptor left.

    """
    descriptor = _create(name)
    try:
        write(descriptor, data)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def output_buffer(name: str, size_bytes: int) -> int:
    """Return the descriptor of a memory file of zeros that can be written to but can't grow.

    Only the parts that are written take memory.

    Raises:
        Busy: there is no descriptor left.

    """
    descriptor = _create(name)
    try:
        os.ftruncate(descriptor, size_bytes)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def write(descriptor: int, data: bytes) -> int:
    """Write a file's content from its start; return the content's length.

    Raises:
        OSError: the file is sealed or too small.

    """
    view = memoryview(data)
    position = 0
    while position < len(data):  # one os.pwrite may write less than all
        position += os.pwrite(descriptor, view[position:], position)
    return position


def truncate_and_seal(descriptor: int, size_bytes: int) -> None:
    """Cut an output buffer to its content and seal it for every process, this one included.

    The process that filled it must have exited: it could still write through an existing mapping.

    Raises:
        OSError: the buffer has been made smaller than `size_bytes`.

    """
    os.ftruncate(descriptor, size_bytes)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)


def read(descriptor: int, size_bytes: int, start: int = 0) -> bytes:
    """Return `size_bytes` of a file, from `start` on.

    Raises:
        ValueError: the file is shorter.

    """
    parts, position = [], 0
    while position < size_bytes:
        parts.append(os.pread(descriptor, size_bytes - position, start + position))
        if not parts[-1]:
            raise ValueError(f"{position} bytes, not {size_bytes}")
        position += len(parts[-1])
    return b"".join(parts)


def _create(name: str) -> int:
    with busy_without_descriptors():
        return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
