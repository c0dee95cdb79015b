"""The head of a chain: a small file with the last record that is certainly on the disk.

It shows that records are missing at the end of the chain. Its lock says which process writes the
chain.
"""

import fcntl
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from audit.keys import AuditKeys

SIZE = 256  # less than a sector, so that it is written whole or not at all
_HEAD = re.compile(rb"(\d{1,9}:\d{1,18}:[0-9a-f]{64}) ([0-9a-f]{64}) *\n")
NAME = re.compile(r"(\d{1,9})\.head")
ATTEMPTS = 3
FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def missing_records(first: int, last: int) -> str:
    """Return that these records of a chain are missing, in words."""
    if first == last:
        return f"record {first} is missing"
    return f"records {first} to {last} are missing"


@dataclass(frozen=True, slots=True)
class Head:
    """Up to which record a chain goes, and the code of that record's line."""

    chain: int
    seq: int
    mac: str

    def __str__(self) -> str:
        """Return it as the log, the records and `--head` write it."""
        return f"{self.chain}:{self.seq}:{self.mac}"


class NotAHead(ValueError):
    """A text or file is not a head."""


def head_from(text: str) -> Head:
    """Return the head that a text such as 1:27:3f... names.

    Raises:
        NotAHead: it names none.

    """
    match = re.fullmatch(r"(\d{1,9}):(\d{1,18}):([0-9a-f]{64})", text)
    if match is None:
        raise NotAHead(f"{text!r} is not CHAIN:SEQ:MAC, as an audit_head line of the log has it")
    return Head(int(match[1]), int(match[2]), match[3])


def read_head(path: Path, keys: AuditKeys) -> Head | None:
    """Return a chain's head; None if the file is empty or does not exist.

    A service may be writing it: what was read half old, half new is read again.

    Raises:
        NotAHead: it was changed, or made with another key.

    """
    for attempt in range(ATTEMPTS):
        try:
            return _parsed(path.read_bytes(), path, keys)
        except FileNotFoundError:
            return None
        except NotAHead:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.01)
    return None


def _parsed(data: bytes, path: Path, keys: AuditKeys) -> Head | None:
    if not data:
        return None
    match = _HEAD.fullmatch(data)
    if match is None or keys.mac(b"head " + match[1]) != match[2].decode():
        raise NotAHead(f"{path} was changed, or made with another key")
    head = head_from(match[1].decode())
    if f"{head.chain}.head" != path.name:
        raise NotAHead(f"{path} is the head of chain {head.chain}")
    return head


class HeadFile:
    """The head file of the chain that this process writes; locked until it is closed."""

    def __init__(self, path: Path, descriptor: int, keys: AuditKeys) -> None:
        self._path = path
        self._descriptor = descriptor
        self._keys = keys

    @classmethod
    def claim(cls, directory: Path, keys: AuditKeys) -> tuple[int, "HeadFile"]:
        """Return the first chain that no living process writes, and its head file.

        Raises:
            OSError: a file cannot be opened.

        """
        chain = 0
        while True:
            chain += 1
            path = directory / f"{chain}.head"
            descriptor = os.open(path, FLAGS, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            except BaseException:
                os.close(descriptor)
                raise
            return chain, cls(path, descriptor, keys)

    def read(self) -> Head | None:
        """Return the head; None if there has been none.

        Raises:
            NotAHead: it was changed, or made with another key.

        """
        return _parsed(os.pread(self._descriptor, SIZE + 1, 0), self._path, self._keys)

    def write(self, head: Head) -> None:
        """Replace the head, in place; where the file was removed, it is made again."""
        if not self._path.exists():
            new = os.open(self._path, FLAGS, 0o600)  # first: if it fails, the old one stays open
            os.close(self._descriptor)
            self._descriptor = new
            fcntl.flock(new, fcntl.LOCK_EX | fcntl.LOCK_NB)
        text = str(head).encode()
        line = b"%b %b" % (text, self._keys.mac(b"head " + text).encode())
        os.pwrite(self._descriptor, line.ljust(SIZE - 1) + b"\n", 0)

    def sync(self) -> None:
        """Wait until it is on the disk."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let another process write the chain."""
        os.close(self._descriptor)
