"""Run a command as a unit says: python -m tests.deploy.confine PLAN COMMAND ...

PLAN is a JSON file: the unit's [Service] section, what is installed where, the user, and the
inherited sockets. Needs root. What the command may then do is the directives' work, not ours.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import sys
from pathlib import Path

from tests.deploy import filters, mounts

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_CAPBSET_DROP = 24
_CAPABILITIES = 64
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_MDWE = 65  # what MemoryDenyWriteExecute filters, as the kernel itself does since 6.3
_REPLAYED = {
    *("PrivateTmp", "PrivateDevices", "ProtectHome", "ProtectProc", "ProcSubset", "ProtectSystem"),
    *("SystemCallFilter", "SystemCallErrorNumber", "SystemCallArchitectures"),
    *("RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "LockPersonality"),
    *("RestrictSUIDSGID", "MemoryDenyWriteExecute", "NoNewPrivileges", "CapabilityBoundingSet"),
    *("AmbientCapabilities", "UMask", "LimitCORE", "LimitNOFILE", "User", "Group"),
    *("WorkingDirectory", "Environment", "ExecStartPre", "ExecStart", "ExecReload", "KillMode"),
}
# What the rest would do; none of it can get in the way of a process that has no capability.
NOT_REPLAYED = {
    "Type": "a matter of systemd's own bookkeeping",
    "Restart": "as above",
    "RestartSec": "as above",
    "TimeoutStopSec": "as above",
    "ProtectKernelTunables": "/proc/sys is hidden by ProcSubset=pid, /sys is read-only here",
    "ProtectKernelModules": "takes away a capability",
    "ProtectKernelLogs": "takes away a capability, and /dev/kmsg, which PrivateDevices hides",
    "ProtectControlGroups": "/sys is read-only here",
    "ProtectHostname": "takes away a call that needs a capability",
    "ProtectClock": "as above",
    "PrivateUsers": "other users' files change their owner's name, not their modes",
    "PrivateMounts": "is implied by the directives above",
    "KeyringMode": "no call that reaches a keyring is allowed",
    "RemoveIPC": "removes what a user leaves behind",
}
REPLAYED = frozenset(_REPLAYED)


def main() -> None:
    """Drop the privileges in the plan, then execute the command."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    unit = {name: plan["unit"].get(name, []) for name in REPLAYED | NOT_REPLAYED.keys()}
    calls = filters.allowed_calls(unit["SystemCallFilter"]) if unit["SystemCallFilter"] else set()
    if plan["unit"]:
        mounts.apply(unit, installed=plan["installed"], kept=plan["kept"])
    for name, limit in (
        ("LimitCORE", resource.RLIMIT_CORE),
        ("LimitNOFILE", resource.RLIMIT_NOFILE),
    ):
        for value in unit[name]:
            resource.setrlimit(limit, (int(value), int(value)))
    for value in unit["UMask"]:
        os.umask(int(value, 8))
    variables = {**plan["environment"], **inherited(plan["sockets"])}
    for directory in unit["WorkingDirectory"]:
        os.chdir(directory)
    give_up_privileges(unit, plan["user"])
    filters.apply(unit, calls)
    os.execve(sys.argv[2], sys.argv[2:], variables)  # noqa: S606 - that is what it is for


def inherited(sockets: list[int]) -> dict[str, str]:
    """Move the sockets to 3, 4, ... as sd_listen_fds(3) has them; return the variables."""
    high = [fcntl.fcntl(number, fcntl.F_DUPFD, 100) for number in sockets]
    for position, number in enumerate(high):
        os.dup2(number, 3 + position)
    os.closerange(3 + len(sockets), 1024)
    return {"LISTEN_FDS": str(len(sockets)), "LISTEN_PID": str(os.getpid())} if sockets else {}


def give_up_privileges(unit: dict[str, list[str]], user: int) -> None:
    """Switch to the user, irreversibly."""
    for capability in range(_CAPABILITIES if unit["CapabilityBoundingSet"] == ["none"] else 0):
        with contextlib.suppress(OSError):  # this kernel has fewer
            prctl(_PR_CAPBSET_DROP, capability)
    if unit["User"]:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    if unit["NoNewPrivileges"] == ["yes"]:
        prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if unit["MemoryDenyWriteExecute"] == ["yes"]:
        prctl(_PR_SET_MDWE, 1)


def prctl(option: int, value: int) -> None:
    """Set an option of this process. Raises OSError."""
    zeros = [ctypes.c_ulong(0)] * 3
    if _LIBC.prctl(ctypes.c_int(option), ctypes.c_ulong(value), *zeros) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


if __name__ == "__main__":
    main()
