"""The system calls that each kind of process may still make once it is restricted.

The lists come from what decoding and reading were seen to need (strace).
"""

import os
from collections.abc import Sequence

from model.sandbox.seccomp import Call

_PROT_EXEC = 4
_DUPFD_CLOEXEC = 1030  # F_DUPFD_CLOEXEC: Python's mmap keeps a copy of the descriptor
_ABORT = 6  # SIGABRT
# MADV_NORMAL, WILLNEED, DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE. Other advice lets root offline memory
# pages of the whole machine.
_ADVICE = (0, 3, 4, 8, 14, 15)

# New memory must not be executable.
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
# Libraries try these sometimes and work without them: time zones, fonts, locales; OpenBLAS calls
# mbind when more threads than before multiply matrices at once.
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
    "mbind",
)
# The zygote receives descriptors, forks, and reports how its children exited. A child restricts
# itself further with prctl, seccomp, prlimit64 and setitimer, so they are allowed here: filters
# only add up.
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
            "getppid",
            "pidfd_open",
            "pidfd_send_signal",
            "prctl",
            "prlimit64",
            "setitimer",
            "seccomp",
            "set_robust_list",
            "rseq",
            "tgkill",
        ),
    ),
)


def decoder() -> Sequence[Call]:
    """Return the calls of a decoder, which holds one upload and the pipe for its response."""
    return (*_COMMON, Call("setitimer"), _own_abort())


def engine() -> Sequence[Call]:
    """Return the calls of an engine whose threads exist and whose networks are loaded.

    It can start no thread, but one that exists may still have to make its first calls.
    """
    channel = ("recvmsg", "sendmsg", "sendto", "poll", "ppoll")
    begin = ("rseq", "set_robust_list")
    threads = (*begin, "sched_yield", "sched_getaffinity", "clock_nanosleep", "exit")
    return (*_COMMON, *map(Call, (*channel, *threads)), _own_abort())


def _own_abort() -> Call:
    """Return the call by which abort() ends this process; it can't signal any other."""
    return Call("tgkill", argument=0, value=os.getpid())
