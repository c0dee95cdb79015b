"""Add up what each key used, from the service's log in JSON.

An error is a status of 400 or more, or no response. Lines that are not of a request are left out;
how many of them are not of this log is said on standard error.
"""

import argparse
import gzip
import io
import json
import re
import signal
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.time_argument import time_argument
from scripts.usage_table import FORMATS, Group, Use

STANDARD_INPUT = "-"
GZIP = b"\x1f\x8b"
LONGEST_LINE = 1 << 20  # the service's own are shorter
ERROR = 400
LAST = "9"  # after every time
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

GROUPS: Mapping[str, Callable[[Mapping[str, Any]], str | int | None]] = {
    "key": lambda entry: entry["key"],
    "key_id": lambda entry: entry["key_id"],
    "address": lambda entry: entry["address"],
    "day": lambda entry: entry["at"][:10],
    "month": lambda entry: entry["at"][:7],
    "function": lambda entry: entry["function"],
    "status": lambda entry: entry["status"],
}


class Unreadable(Exception):
    """A file cannot be read."""


def use_of(entry: Mapping[str, Any]) -> Use:
    """Return what the request of a line has used."""
    status = entry["status"]
    failed = status is None or status >= ERROR
    return Use(1, failed, entry["pages"] or 0, entry["lines"] or 0, entry["bytes"] or 0)


def is_request(entry: object) -> bool:
    """Return whether a line's value is what the service writes of a request."""
    if not isinstance(entry, dict):
        return False
    texts, numbers = ("key", "function"), ("status", "pages", "lines", "bytes")
    return (
        all(isinstance(entry.get(name, 0), str | None) for name in texts)
        and all(type(entry.get(name, "")) in {int, type(None)} for name in numbers)
        and bool(TIME.fullmatch(str(entry.get("at"))))
    )


def is_event(entry: object) -> bool:
    """Return whether a line's value is an event of the service."""
    return isinstance(entry, dict) and isinstance(entry.get("event"), str) and "at" in entry


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input; what is compressed by gzip is decompressed.

    Raises:
        Unreadable: it cannot be read.

    """
    standard = name == STANDARD_INPUT
    try:
        raw = sys.stdin.buffer if standard else Path(name).open("rb")  # noqa: SIM115 - closed below
        try:
            stream = io.BufferedReader(cast("io.RawIOBase", raw))
            packed = stream.peek(len(GZIP)).startswith(GZIP)
            yield cast("BinaryIO", gzip.GzipFile(fileobj=stream)) if packed else stream
        finally:
            if not standard:
                raw.close()
    except (OSError, EOFError, zlib.error) as error:  # also gzip.BadGzipFile
        said = getattr(error, "strerror", None) or error
        raise Unreadable(f"{name}: {said}") from error


def entries(stream: BinaryIO) -> Iterator[object]:
    """Yield the value of each line; None for one that is not JSON."""
    while line := stream.readline(LONGEST_LINE):
        if not line.endswith(b"\n") and len(line) == LONGEST_LINE:
            while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield None
            continue
        if not line.isspace():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield None


def add_up(
    names: Iterable[str], by: Sequence[str], since: str = "", until: str = LAST
) -> tuple[dict[Group, Use], int]:
    """Return what each group has used, and how many lines of the files were not of this log.

    Only requests that ended at or after `since` and before `until` are added up.

    Raises:
        Unreadable: a file cannot be read.

    """
    used: dict[Group, Use] = {}
    foreign = 0
    for name in names:
        with opened(name) as stream:
            for entry in entries(stream):
                if is_request(entry):
                    request = cast("Mapping[str, Any]", entry)
                    if not since <= request["at"] < until:
                        continue
                    group = tuple(GROUPS[each](request) for each in by)
                    used.setdefault(group, Use()).add(use_of(request))
                elif not is_event(entry):
                    foreign += 1
    return used, foreign


def groups(text: str) -> list[str]:
    """Return the names in a list such as key,day.

    Raises:
        argparse.ArgumentTypeError: one is unknown, or there twice.

    """
    names = text.split(",")
    for name in names:
        if name not in GROUPS or names.count(name) > 1:
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(GROUPS)}")
    return names


def main() -> None:
    """Print what was used."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it silently
    parser = argparse.ArgumentParser(prog="usage", description=__doc__)
    parser.add_argument(
        "logs", nargs="+", metavar="LOG", help="a file, also .gz; -: standard input"
    )
    parser.add_argument("--by", type=groups, default=["key"], help=f"{','.join(GROUPS)} or several")
    parser.add_argument("--since", type=time_argument, metavar="T", help="2027-01-31, 7d, ...")
    parser.add_argument("--until", type=time_argument, metavar="T", help="likewise")
    parser.add_argument("--format", choices=FORMATS, default="text")
    arguments = parser.parse_args()
    try:
        used, foreign = add_up(
            arguments.logs, arguments.by, arguments.since or "", arguments.until or LAST
        )
    except Unreadable as error:
        parser.error(str(error))
    print(FORMATS[arguments.format](arguments.by, used))
    if foreign:
        lines = "1 line is" if foreign == 1 else f"{foreign} lines are"
        print(f"{lines} not of this log and left out", file=sys.stderr)


if __name__ == "__main__":
    main()
