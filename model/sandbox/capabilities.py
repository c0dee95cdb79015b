"""Drop every capability: those that a process has, and those that it could gain.

Source: capabilities(7), capset(2), linux/capability.h.
"""

import ctypes
import errno
from contextlib import suppress

from model.sandbox import kernel

_VERSION_3 = 0x20080522  # of the structures: two words of 32 bits for each set
_CAPBSET_DROP = 24
_AMBIENT, _AMBIENT_CLEAR_ALL = 47, 4


def drop_all() -> None:
    """Empty this thread's five sets; threads that it starts inherit them.

    A process started by root has all capabilities, unless systemd or a container took them.
    Without CAP_SETPCAP the bounding set stays as it is; no_new_privs, which must be set, keeps
    the process from gaining a capability of it.

    Raises:
        OSError: the kernel refuses to empty a set.

    """
    with suppress(PermissionError):
        _drop_bounding_set()
    kernel.prctl(_AMBIENT, _AMBIENT_CLEAR_ALL)
    # systemd's @privileged filter refuses capset, even where it would change nothing.
    if any(_held()):
        kernel.capset(_header(), (ctypes.c_uint32 * 6)())


def _drop_bounding_set() -> None:
    """Drop each capability that this kernel knows."""
    for number in range(64):
        try:
            kernel.prctl(_CAPBSET_DROP, number)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return  # the one before was the last


def _held() -> list[int]:
    """Return the words of the effective, permitted and inheritable sets."""
    words = (ctypes.c_uint32 * 6)()
    kernel.capget(_header(), words)
    return list(words)


def _header() -> ctypes.Array[ctypes.c_uint32]:
    """Return the header that names the version, and this thread (0)."""
    return (ctypes.c_uint32 * 2)(_VERSION_3, 0)
