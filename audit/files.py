"""The files of a chain: their names, their order, and reading them."""

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

LONGEST_LINE = 1 << 20
"""Bytes; the service's own are shorter."""

TAIL = 1 << 16
_NAME = re.compile(r"(\d{1,9})-(\d{12})-(\d{8}T\d{12}Z)\.jsonl(\.gz)?")


class UnreadableFile(Exception):
    """A file of the trail cannot be read."""


@dataclass(frozen=True, slots=True, order=True)
class AuditFile:
    """A file: its chain, the number of its first record, when it was begun, and where it is."""

    chain: int
    first: int
    begun: str
    path: Path

    @property
    def name(self) -> str:
        """Its name before it was compressed."""
        return self.path.name.removesuffix(".gz")


def name_of(chain: int, first: int, at: str) -> str:
    """Return the name of a file that begins at an ISO time in UTC with microseconds."""
    return f"{chain}-{first:012}-{re.sub('[-:.]', '', at)}.jsonl"


def files_of(directory: Path) -> list[AuditFile]:
    """Return the audit files of a directory, chain by chain, in the order of their records.

    Of a file that is there twice, compressed and not, the latter is taken.

    Raises:
        UnreadableFile: the directory cannot be read.

    """
    found: dict[str, AuditFile] = {}
    try:
        names = sorted(each.name for each in directory.iterdir())
    except OSError as error:
        raise UnreadableFile(f"{directory}: {error.strerror}") from error
    for name in reversed(names):
        match = _NAME.fullmatch(name)
        if match is not None:
            file = AuditFile(int(match[1]), int(match[2]), match[3], directory / name)
            found[file.name] = file
    return sorted(found.values())


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as raw:
            packed = path.suffix == ".gz"
            yield cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
    except (OSError, EOFError, zlib.error) as error:  # also gzip.BadGzipFile
        raise UnreadableFile(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file with their line breaks; the last one may have none.

    Of a line that is too long to be one of ours, only the beginning is yielded.

    Raises:
        UnreadableFile: it cannot be read.

    """
    with _opened(path) as stream:
        while line := stream.readline(LONGEST_LINE):
            yield line
            while not line.endswith(b"\n") and len(line) == LONGEST_LINE:
                line = stream.readline(LONGEST_LINE)


def last_line(path: Path) -> tuple[bytes, int]:
    """Return the last whole line of a file, and how many bytes follow it: of an unfinished one.

    Raises:
        UnreadableFile: it cannot be read.

    """
    with _opened(path) as stream:
        if path.suffix == ".gz":
            data = stream.read()  # the service itself compresses nothing: this is rare
        else:
            stream.seek(max(0, stream.seek(0, io.SEEK_END) - TAIL))
            data = stream.read()
    whole, line_break, rest = data.rpartition(b"\n")
    return (whole.rpartition(b"\n")[2] + line_break) if line_break else b"", len(rest)
