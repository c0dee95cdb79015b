"""What a service did to files, told from strace's record of its system calls.

The record has a file for each thread. Which calls are harmless is listed, rather than which are
not: a call that nobody thought of is found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_WRITES = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "fallocate")
_COPIES = ("sendfile", "copy_file_range", "splice", "tee", "vmsplice")
_NEVER = ("connect", "io_uring_setup", "open_by_handle_at")
_OPENS = ("open", "openat", "openat2", "creat")
_LOOKS = {
    *("access", "faccessat", "faccessat2", "stat", "lstat", "newfstatat", "statx", "statfs"),
    *("readlink", "readlinkat", "getcwd", "chdir", "execve", "execveat", "getxattr", "lgetxattr"),
}
_WRITABLE = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b")
_RECORD = re.compile(r"(\w+)\((.*?)(?:\)\s+= (.*)|<unfinished \.\.\.>)")
_DESCRIPTOR = re.compile(r"\d+<([^>]*)>")
# Memory and the ways between processes, the log's among them; what is written there is not kept.
_KEPT_NOWHERE = re.compile(r"(pipe|socket):\[\d+\]|/memfd:\w+|/dev/null|anon_inode:.*")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call as strace wrote it down; without a result, its process was killed in it."""

    name: str
    arguments: str
    result: str

    @property
    def failed(self) -> bool:
        """Whether it changed nothing."""
        return self.result.startswith("-1 ")

    @property
    def leaves_something(self) -> bool:
        """Whether it may have put something where it outlasts the service, or elsewhere."""
        if self.failed or self.name in _LOOKS:
            return False
        if self.name in _OPENS:
            writable = self.name == "creat" or _WRITABLE.search(self.arguments)
            return bool(writable) and not _is_passing(self.result)
        if self.name in _WRITES:
            return not _is_passing(self.arguments)
        if self.name in _COPIES:
            found = _DESCRIPTOR.findall(self.arguments)
            return not found or not all(map(_KEPT_NOWHERE.fullmatch, found))
        return True

    def __str__(self) -> str:
        return f"{self.name}({self.arguments}) = {self.result}"


def tracer(folder: Path) -> tuple[str, ...]:
    """Return what stands before a command to have its calls recorded in a folder.

    -D: the service stays our own child, not the tracer's.
    """
    traced = ",".join(("%file", *_WRITES, *_COPIES, *_NEVER))
    options = ("-D", "-ff", "-qq", "-y", "-s", "256", "-e", f"trace={traced}")
    return ("strace", *options, "-o", str(folder / "thread"))


def recorded(folder: Path) -> Iterator[Call]:
    """Yield every call of a record; signals and ends are passed over."""
    for file in sorted(folder.iterdir()):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("---", "+++")):
                continue
            found = _RECORD.fullmatch(line)
            assert found, line
            yield Call(found[1], found[2], found[3] or "")


def leavings(folder: Path) -> list[str]:
    """Return the calls of a record that left something."""
    return [str(call) for call in recorded(folder) if call.leaves_something]


def _is_passing(text: str) -> bool:
    """Tell whether what begins with this descriptor is kept nowhere."""
    found = _DESCRIPTOR.match(text)
    return bool(found and _KEPT_NOWHERE.fullmatch(found[1]))
