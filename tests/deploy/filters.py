"""The system call filters of a unit's directives, built with libseccomp as systemd builds them.

Source: systemd.exec(5), systemd's src/shared/seccomp-util.c, seccomp_rule_add(3).
"""

import ctypes
import errno
import socket
import stat
import subprocess
from functools import cache

from tests.deploy.units import Section

ALLOW = 0x7FFF0000
_NOT_EQUAL, _EQUAL, _MASKED_EQUAL = 1, 4, 7
_NO_NEW_PRIVS = 3  # an attribute of a filter
_NAMESPACES = 0x7E020080  # CLONE_NEW...: cgroup, uts, ipc, user, pid, net, mount, time


class Comparison(ctypes.Structure):
    """A rule's comparison of one argument: its index, the operator, the value."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_rule_add_array.argtypes = [
        *(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint),
        ctypes.POINTER(Comparison),
    ]
    return library


class Filter:
    """One filter: what it does with a call that no rule names, then its rules."""

    def __init__(self, otherwise: int) -> None:
        self._context = ctypes.c_void_p(_library().seccomp_init(otherwise))
        self._rules = 0
        # As systemd does: no_new_privs is a directive's business, not a side effect.
        _library().seccomp_attr_set(self._context, _NO_NEW_PRIVS, 0)

    def add(self, action: int, call: str, *comparisons: Comparison) -> None:
        """Add a rule; a call that this processor does not have is left out, as systemd does."""
        number = _library().seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return
        array = (Comparison * max(1, len(comparisons)))(*comparisons)
        result = _library().seccomp_rule_add_array(
            self._context, action, number, len(comparisons), array
        )
        if result != 0:
            raise OSError(-result, f"a rule for {call}")
        self._rules += 1

    def __bool__(self) -> bool:
        return self._rules > 0

    def load(self) -> None:
        """Put it in force; it also kills whatever calls as another architecture would."""
        result = _library().seccomp_load(self._context)
        if result != 0:
            raise OSError(-result, "seccomp_load")


def refuse(number: int) -> int:
    """Return the action that fails a call with this errno."""
    return 0x00050000 | number


def apply(unit: Section, allowed: set[str]) -> None:
    """Put the unit's filters in force, that of `allowed` calls first; needs no_new_privs."""
    if allowed:
        calls = Filter(refuse(errno.EPERM))
        for name in sorted(allowed):
            calls.add(ALLOW, name)
        calls.load()
    rules = Filter(ALLOW)
    for directive, add in _RULES.items():
        if unit[directive]:
            add(rules, unit[directive][0].split())
    if rules:
        rules.load()


def _families(rules: Filter, names: list[str]) -> None:
    for family in set(range(50)) - {int(getattr(socket, name)) for name in names}:
        equal = Comparison(0, _MASKED_EQUAL, 0xFFFFFFFF, family)
        rules.add(refuse(errno.EAFNOSUPPORT), "socket", equal)


def _namespaces(rules: Filter, _yes: list[str]) -> None:
    rules.add(refuse(errno.ENOSYS), "clone3")  # its flags are in memory, where no filter looks
    rules.add(refuse(errno.EPERM), "setns")
    for bit in (1 << shift for shift in range(32) if _NAMESPACES >> shift & 1):
        for call in ("unshare", "clone"):
            rules.add(refuse(errno.EPERM), call, Comparison(0, _MASKED_EQUAL, bit, bit))


def _personality(rules: Filter, _yes: list[str]) -> None:
    rules.add(refuse(errno.EPERM), "personality", Comparison(0, _NOT_EQUAL, 0, 0))


def _realtime(rules: Filter, _yes: list[str]) -> None:
    for policy in (1, 2):  # SCHED_FIFO, SCHED_RR
        rules.add(refuse(errno.EPERM), "sched_setscheduler", Comparison(1, _EQUAL, policy, 0))


def _setuid_files(rules: Filter, _yes: list[str]) -> None:
    for bit in (stat.S_ISUID, stat.S_ISGID):
        for call, argument in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2)):
            rules.add(refuse(errno.EPERM), call, Comparison(argument, _MASKED_EQUAL, bit, bit))


_RULES = {
    "RestrictAddressFamilies": _families,
    "RestrictNamespaces": _namespaces,
    "LockPersonality": _personality,
    "RestrictRealtime": _realtime,
    "RestrictSUIDSGID": _setuid_files,
}


def allowed_calls(directives: list[str]) -> set[str]:
    """Return the calls that lines of SystemCallFilter allow together; `~` takes some away again."""
    allowed = _expand("@default")  # always permitted
    for line in directives:
        names = {name for word in line.removeprefix("~").split() for name in _expand(word)}
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


@cache
def _expand(word: str) -> set[str]:
    """Return the calls that a name or an @group stands for, as this machine's systemd says."""
    if not word.startswith("@"):
        return {word}
    listing = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager", word],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    members = [line.strip() for line in listing.splitlines()[1:]]
    return {name for one in members if one and one[0] != "#" for name in _expand(one)}
