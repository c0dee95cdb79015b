"""Which process holds a listening socket, as far as /proc tells."""

import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.log_text import printable

PROC = Path("/proc")
LISTENING = "0A"  # the kernel's TCP_LISTEN, as /proc/net/tcp shows it
ACCEPTING = "00010000"  # the kernel's __SO_ACCEPTCON: accepted connections have the path, too


@dataclass(frozen=True, slots=True)
class Holder:
    """A process with a listening socket; `pid` is None where only its user is known."""

    pid: int | None
    user: str

    def __str__(self) -> str:
        """Return it in the words of a message; of its command line only the program's name."""
        if self.pid is None:
            return f"a process of the user {self.user}"
        # Another user chooses what it is called, and root's terminal shows it.
        return f"process {self.pid} ({printable(' '.join(_program(self.pid))) or 'unknown'})"

    def serves(self, settings_file: Path) -> bool:
        """Return whether its command line names this settings file, as `--config FILE` does."""
        if self.pid is None:
            return False
        arguments = _command_line(self.pid)
        try:
            directory = (PROC / str(self.pid) / "cwd").readlink()
        except OSError:
            return False
        for before, argument in zip(["", *arguments], arguments, strict=False):
            named = argument.removeprefix("--config=")
            if before not in {"-c", "--config"} and named == argument:
                continue
            if (directory / named).resolve() == settings_file.resolve():
                return True
        return False


def holder_of_port(port: int) -> Holder | None:
    """Return who listens on a TCP port, on any of this machine's addresses."""
    for table in ("tcp", "tcp6"):
        for fields in _rows(table):
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                return _holder(fields[9], int(fields[7]))
    return None


def holder_of_unix_socket(path: str) -> Holder | None:
    """Return who listens on a Unix socket."""
    for fields in _rows("unix"):
        if fields[3] == ACCEPTING and fields[7:8] == [path]:
            owner = Path(path).stat().st_uid
            return _holder(fields[6], owner)
    return None


def _rows(table: str) -> Iterator[list[str]]:
    try:
        lines = (PROC / "net" / table).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # such as with systemd's ProcSubset=pid
        return
    yield from (line.split() for line in lines[1:])


def _holder(inode: str, uid: int) -> Holder:
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    wanted = f"socket:[{inode}]"
    processes = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]
    holders = [process for process in processes if _has_open(process, wanted)]
    for process in holders:
        if _parent(process) not in holders:  # the one that the others have it from
            return Holder(process, user)
    return Holder(None, user)


def _has_open(process: int, wanted: str) -> bool:
    try:
        descriptors = list((PROC / str(process) / "fd").iterdir())
        return any(str(each.readlink()) == wanted for each in descriptors)
    except OSError:  # another user's, or it has ended
        return False


def _parent(process: int) -> int | None:
    try:
        text = (PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[1])


def _command_line(pid: int) -> list[str]:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def _program(pid: int) -> list[str]:
    """Return the program's name; for Python, the script's or module's, too."""
    arguments = _command_line(pid)
    names = [Path(argument).name for argument in arguments[:3]]
    if not names or not names[0].startswith("python"):
        return names[:1]
    return names[:3] if arguments[1:2] == ["-m"] else names[:2]
