"""The steps by which a process restricts itself; none can be undone."""

import contextlib
import math
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from model.sandbox import capabilities, kernel, landlock, policies, seccomp
from model.sandbox.seccomp import Call


class SeveralThreads(Exception):
    """The process has several threads: Landlock would restrict only the one that calls it."""


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent exits, for whatever reason.

    If the parent exited before this call, this process exits. A fork resets the setting.
    """
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent has exited")


def assert_single_thread() -> None:
    """Check that this process has one thread.

    Raises:
        SeveralThreads: it has more.

    """
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise SeveralThreads(f"{threads} threads")


def disable_core_dumps() -> None:
    """Keep this process's memory out of core files and away from debuggers of the same user.

    The limit has no effect where the kernel pipes core dumps to a program; not being dumpable has.
    """
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def drop_files() -> int:
    """Drop privileges, debuggers, core dumps, files and sockets; return Landlock's version.

    0: this kernel has no Landlock, and only the system call filter keeps files away.
    """
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    capabilities.drop_all()
    disable_core_dumps()
    return landlock.deny_everything()


def address_space_bytes() -> int:
    """Return the size of this process's address space."""
    pages = Path("/proc/self/statm").read_text("ascii").split()[0]
    return int(pages) * resource.getpagesize()


def limit_memory(size_bytes: int) -> None:
    """Limit the address space."""
    resource.setrlimit(resource.RLIMIT_AS, (size_bytes, size_bytes))


def limit_processor_time(seconds: float) -> None:
    """End this process by SIGPROF after so much processor time.

    The timer is exact, and the process could stop it; SIGKILL follows within two seconds.
    """
    hard_s = math.ceil(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (hard_s, hard_s))
    signal.setitimer(signal.ITIMER_PROF, seconds)


@contextlib.contextmanager
def user_time_limit(seconds: float) -> Iterator[None]:
    """End this process by SIGVTALRM if what is inside takes more processor time than that."""
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def drop_system_calls(allowed: Sequence[Call]) -> None:
    """Restrict every thread to the allowed system calls."""
    seccomp.install(allowed, policies.REFUSED)
