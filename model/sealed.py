"""Bulk data between processes: memory files whose size and content can no longer change.

Only such a file can be mapped safely by its receiver: a sender that shrank it afterwards would
kill the receiver with SIGBUS, one that rewrote it would change pixels already checked.
Source: memfd_create(2), fcntl(2) "File Sealing".
"""

import fcntl
import os

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def create(name: str) -> int:
    """Return the descriptor of a new, empty memory file; the caller fills, seals, closes it."""
    return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def write(descriptor: int, data: bytes) -> None:
    """Append all of `data`; os.write alone may stop in the middle."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def seal(descriptor: int) -> None:
    """Freeze the file for every holder, the caller included."""
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)


def copy(name: str, data: bytes) -> int:
    """Return the descriptor of a sealed memory file holding `data`."""
    descriptor = create(name)
    try:
        write(descriptor, data)
        seal(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_sealed(descriptor: int) -> bool:
    """Tell whether nobody can change the file any more."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & _SEALS == _SEALS
    except OSError:  # not a memory file at all
        return False


def size_bytes(descriptor: int) -> int:
    """Return the length of the file."""
    return os.fstat(descriptor).st_size


def read(descriptor: int, limit_bytes: int) -> bytes:
    """Return the whole content. Raises ValueError where it is unsealed or over the limit."""
    length = size_bytes(descriptor)
    if not is_sealed(descriptor) or length > limit_bytes:
        raise ValueError(f"not a sealed file of at most {limit_bytes} bytes")
    parts, position = [], 0
    while position < length:
        parts.append(os.pread(descriptor, length - position, position))
        position += len(parts[-1])
    return b"".join(parts)
