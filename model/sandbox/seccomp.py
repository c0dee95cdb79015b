"""A system call filter: calls are allowed, refused with EPERM, or kill the process.

It is written in the kernel's BPF, so it needs no library.
Source: seccomp(2), linux/seccomp.h, linux/filter.h.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from model.sandbox.kernel import syscall
from model.sandbox.syscalls import ARCHITECTURES, Architecture

_SET_MODE_FILTER, _GET_ACTION_AVAILABLE = 1, 2
_ALL_THREADS = 1  # SECCOMP_FILTER_FLAG_TSYNC
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
# Offsets in struct seccomp_data; an argument's low half comes first on both architectures.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value


@dataclass(frozen=True, slots=True)
class Call:
    """An allowed system call; with `argument`, only if `args[argument] & mask` is `value`."""

    name: str
    argument: int | None = None
    mask: int = 0xFFFFFFFF
    value: int = 0


def available() -> bool:
    """Return whether the kernel has seccomp and this architecture's call numbers are known."""
    architecture = ARCHITECTURES.get(platform.machine())
    if architecture is None:
        return False
    kill = ctypes.c_uint32(_KILL_PROCESS)
    try:
        syscall(
            architecture.numbers["seccomp"],
            ctypes.c_uint(_GET_ACTION_AVAILABLE),
            ctypes.c_uint(0),
            ctypes.byref(kill),
        )
    except OSError:
        return False
    return True


def install(allowed: Sequence[Call], refused: Sequence[str]) -> None:
    """Restrict every thread of this process: `refused` calls get EPERM, all others kill it.

    Calls that this architecture does not have are left out.

    Raises:
        OSError: the kernel refuses the filter.

    """
    architecture = ARCHITECTURES[platform.machine()]
    instructions = program(architecture, allowed, refused)
    code = b"".join(struct.pack("<HBBI", *each) for each in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(
        struct.pack("@HP", len(instructions), ctypes.addressof(buffer))
    )
    syscall(
        architecture.numbers["seccomp"],
        ctypes.c_uint(_SET_MODE_FILTER),
        ctypes.c_uint(_ALL_THREADS),
        header,
    )


def program(
    architecture: Architecture, allowed: Sequence[Call], refused: Sequence[str]
) -> list[Instruction]:
    """Return the instructions of the filter."""
    kill, refuse, allow = (
        (_RETURN, 0, 0, action) for action in (_KILL_PROCESS, _ERRNO | errno.EPERM, _ALLOW)
    )
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit_arch),
        kill,
        (_LOAD, 0, 0, _NUMBER),
    ]
    if architecture.x32_bit:
        code += [(_AT_LEAST, 0, 1, architecture.x32_bit), kill]
    for call in allowed:
        number = architecture.numbers.get(call.name)
        if number is None:
            continue
        if call.argument is None:
            code += [(_EQUAL, 0, 1, number), allow]
            continue
        code += [
            (_EQUAL, 0, 5, number),
            (_LOAD, 0, 0, _ARGUMENTS + 8 * call.argument),
            (_AND, 0, 0, call.mask),
            (_EQUAL, 0, 1, call.value),
            allow,
            (_LOAD, 0, 0, _NUMBER),
        ]
    numbers = [architecture.numbers[name] for name in refused if name in architecture.numbers]
    for number in numbers:
        code += [(_EQUAL, 0, 1, number), refuse]
    return [*code, kill]
