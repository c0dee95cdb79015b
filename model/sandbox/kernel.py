"""Kernel and C library calls that Python has no function for.

Source: prctl(2), syscall(2), capset(2).
"""

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

_LIBC = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> None:
    """Set an option of this process.

    Raises:
        OSError: the kernel refuses it.

    """
    zeros = [ctypes.c_ulong(0)] * 3
    if _LIBC.prctl(ctypes.c_int(option), ctypes.c_ulong(value), *zeros) != 0:
        raise _error("prctl")


def syscall(number: int, *arguments: object) -> int:
    """Make a system call; the arguments are ctypes values or pointers.

    Raises:
        OSError: the call failed.

    """
    result = int(_LIBC.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise _error(f"system call {number}")
    return result


def capget(header: object, words: object) -> None:
    """Write this thread's capabilities to `words`.

    Raises:
        OSError: the call failed.

    """
    if _LIBC.capget(header, words) != 0:
        raise _error("capget")


def capset(header: object, words: object) -> None:
    """Set this thread's capabilities.

    Raises:
        OSError: the kernel refuses it.

    """
    if _LIBC.capset(header, words) != 0:
        raise _error("capset")


def release_free_memory() -> None:
    """Return every free page of the heaps, and so its content, to the kernel.

    C libraries other than glibc have no such call. Source: malloc_trim(3).
    """
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
