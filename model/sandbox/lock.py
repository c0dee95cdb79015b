"""The order in which a process locks itself; each step is for good."""

import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from model.sandbox import kernel, landlock, policies, seccomp
from model.sandbox.seccomp import Call


class NotAlone(Exception):
    """The process has several threads: one would stay outside of what the others give up."""


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, however that dies.

    A parent that died before the call is noticed by its pid. A fork clears it: set it again.
    """
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def assert_single_task() -> None:
    """Check that only one thread runs. Raises NotAlone."""
    tasks = len(list(Path("/proc/self/task").iterdir()))
    if tasks != 1:
        raise NotAlone(f"{tasks} threads run before the lock")


def forbid_core_dumps() -> None:
    """Keep this process's memory from files, and from debuggers of the same user.

    The limit does not hold where the kernel pipes dumps to a program; not being dumpable does.
    """
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def give_up_files() -> int:
    """Give up new privileges, tracers, core dumps, files and sockets; return Landlock's version.

    0: this kernel has no Landlock, and the filter of system calls alone keeps files away.
    """
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    forbid_core_dumps()
    return landlock.deny_everything()


def address_space_bytes() -> int:
    """Return what this process has mapped by now."""
    pages = Path("/proc/self/statm").read_text("ascii").split()[0]
    return int(pages) * resource.getpagesize()


def limit(*, memory_bytes: int | None = None, cpu_s: int | None = None) -> None:
    """Bound the address space and the processor time; descriptors stay as many as are open."""
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if cpu_s is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))


def give_up_calls(allowed: Sequence[Call]) -> None:
    """Let every thread make the allowed system calls alone."""
    seccomp.install(allowed, policies.REFUSED)
