"""Which system calls each process may still make once it is locked.

Taken from what real readings were seen to need (strace), not from what seems harmless.
"""

import os
from collections.abc import Sequence

from model.sandbox.seccomp import Call

_PROT_EXEC = 4
_DUPFD_CLOEXEC = 1030  # F_DUPFD_CLOEXEC: Python's mmap keeps a copy of the descriptor
_ABORT = 6  # SIGABRT
# MADV_NORMAL, WILLNEED, DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE. With others root can take memory
# pages from the whole machine.
_ADVICE = (0, 3, 4, 8, 14, 15)

# New memory may hold data, never code.
_MEMORY = (
    Call("mmap", argument=2, mask=_PROT_EXEC),
    Call("mprotect", argument=2, mask=_PROT_EXEC),
    *(Call("madvise", argument=2, value=advice) for advice in _ADVICE),
    *map(Call, ("munmap", "mremap", "brk")),
)
_COMMON = (
    *_MEMORY,
    *map(
        Call,
        (
            "read",
            "write",
            "pread64",
            "pwrite64",
            "lseek",
            "close",
            "fstat",
            "futex",
            "getpid",
            "gettid",
            "clock_gettime",
            "gettimeofday",
            "getrandom",
            "rt_sigaction",
            "rt_sigprocmask",
            "rt_sigreturn",
            "restart_syscall",
            "exit_group",
        ),
    ),
    Call("fcntl", argument=1, value=_DUPFD_CLOEXEC),
)
# Libraries ask for these now and then, and do without: time zones, fonts, locales.
REFUSED: Sequence[str] = (
    "open",
    "openat",
    "openat2",
    "stat",
    "lstat",
    "newfstatat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getcwd",
    "getdents64",
    "fcntl",
    "ioctl",
)
# The zygote takes descriptors, forks, and tells how its children ended. What a child needs to lock
# itself further (prctl, seccomp, prlimit64) is here, too: filters only ever add up.
ZYGOTE: Sequence[Call] = (
    *_COMMON,
    *map(
        Call,
        (
            "recvmsg",
            "sendmsg",
            "sendto",
            "poll",
            "ppoll",
            "clone",
            "wait4",
            "waitid",
            "getppid",
            "pidfd_open",
            "pidfd_send_signal",
            "prctl",
            "prlimit64",
            "seccomp",
            "set_robust_list",
            "rseq",
            "tgkill",
        ),
    ),
)


def decoder() -> Sequence[Call]:
    """Return what a child of the zygote keeps, which holds one upload and the way to its answer."""
    return (*_COMMON, _own_abort())


def engine() -> Sequence[Call]:
    """Return what an engine keeps once its threads run and its networks are loaded."""
    talk = ("recvmsg", "sendmsg", "sendto", "poll", "ppoll")
    threads = ("sched_yield", "sched_getaffinity", "clock_nanosleep", "exit")
    return (*_COMMON, *map(Call, (*talk, *threads)), _own_abort())


def _own_abort() -> Call:
    """Return the call by which abort() ends this process; it reaches no other."""
    return Call("tgkill", argument=0, value=os.getpid())
