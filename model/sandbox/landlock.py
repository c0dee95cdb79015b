"""Landlock: no access to files, sockets or signals beyond what is open, if the kernel has it.

The ruleset handles everything and allows nothing. Source: landlock(7), linux/landlock.h.
"""

import ctypes
import os
import struct

from model.sandbox.kernel import syscall

# The same numbers on every architecture.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}  # the number of file rights in an ABI; 16 since 5
_NEWEST_RIGHTS = 16
_NETWORK_ABI, _NETWORK = 4, 0b11  # binding and connecting TCP
_SCOPE_ABI, _SCOPE = 6, 0b11  # abstract Unix sockets, signals


def abi() -> int:
    """Return the kernel's version of Landlock; 0 if it has none."""
    try:
        return syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    except OSError:
        return 0


def deny_everything() -> int:
    """Restrict this thread and those it starts; return the version used, 0 if there is none.

    no_new_privs must be set.

    Raises:
        OSError: the kernel refuses the ruleset.

    """
    version = abi()
    if version < 1:
        return 0
    attributes = struct.pack(
        "<QQQ",
        (1 << _RIGHTS_BY_ABI.get(version, _NEWEST_RIGHTS)) - 1,
        _NETWORK if version >= _NETWORK_ABI else 0,
        _SCOPE if version >= _SCOPE_ABI else 0,
    )
    size = 24 if version >= _SCOPE_ABI else 16 if version >= _NETWORK_ABI else 8
    ruleset = syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return version
