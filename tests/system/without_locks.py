"""Start a program on a kernel that seems to lack some system calls.

Run as `python -m tests.system.without_locks NUMBER[,NUMBER] PROGRAM [ARGUMENT...]`: a filter makes
those calls answer ENOSYS, for the program and all that it starts.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Sequence

from model.sandbox.kernel import PR_SET_NO_NEW_PRIVS, prctl
from model.sandbox.syscalls import ARCHITECTURES

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ERRNO, _ALLOW = 0x00050000, 0x7FFF0000
_SECCOMP = (
    ARCHITECTURES[platform.machine()].numbers["seccomp"]
    if platform.machine() in ARCHITECTURES
    else 0
)
_LANDLOCK = 444  # landlock_create_ruleset, the same on every machine


def without(*numbers: int) -> tuple[str, ...]:
    """Return what stands before a command to start it so."""
    return (sys.executable, "-m", __name__, ",".join(map(str, numbers)))


WITHOUT_LOCKS = without(_SECCOMP, _LANDLOCK)
WITHOUT_SECCOMP = without(_SECCOMP)
WITHOUT_LANDLOCK = without(_LANDLOCK)


def take_away(numbers: Sequence[int]) -> None:
    """Have those calls fail, for good. prctl installs the filter: it is an older way than seccomp.

    Source: seccomp(2), linux/filter.h.
    """
    code = [(_LOAD, 0, 0, 0)]
    for number in numbers:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    code.append((_RETURN, 0, 0, _ALLOW))
    packed = b"".join(struct.pack("<HBBI", *each) for each in code)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(buffer)))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), header) != 0:
        raise OSError(ctypes.get_errno(), "the filter was not taken")


def main() -> None:
    """Remove the calls and execute the program."""
    take_away([int(number) for number in sys.argv[1].split(",")])
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the test's own command


if __name__ == "__main__":
    main()
