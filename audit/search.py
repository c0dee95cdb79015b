"""Searching the records of a trail: who sent which document, and what a key did."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import groupby, pairwise
from typing import Any

from audit.files import AuditFile, lines_of
from audit.line import line_from

STARTS = ("received", "request")
LAST = "9"  # after every time


@dataclass(frozen=True, slots=True)
class Sought:
    """What a request has to match; None: anything. `document` is a keyed hash."""

    key: str | None = None
    function: str | None = None
    network: IPv4Network | IPv6Network | None = None
    document: str | None = None
    since: str = ""  # ISO times in UTC, as the records have them
    until: str = LAST

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Return whether the record of a request's beginning matches."""
        return (
            self.since <= str(record.get("at", "")) < self.until
            and (self.key is None or self.key in {record.get("key"), record.get("key_id")})
            and self.function in {None, record.get("function")}
            and (self.network is None or _is_in(record.get("address"), self.network))
            and (self.document is None or self.document in _hashes(record))
        )


def _is_in(address: object, network: IPv4Network | IPv6Network) -> bool:
    try:
        return ip_address(str(address)) in network
    except ValueError:
        return False  # "local": a Unix socket


def _hashes(record: Mapping[str, Any]) -> set[object]:
    return {each.get("hash") for each in record.get("documents") or []}


class Search:
    """Finds requests; `found` counts them, and `skipped` the lines that are no records."""

    def __init__(self, sought: Sought) -> None:
        self.found = 0
        self.skipped = 0
        self._sought = sought

    def requests(self, files: Iterable[AuditFile]) -> Iterator[Mapping[str, Any]]:
        """Yield what each request that matches did; of one without an end the status is missing.

        All chains are read at once, so the requests come by time; of a chain, as they ended.

        Raises:
            UnreadableFile: a file cannot be read.

        """
        chains = groupby(files, key=lambda file: file.chain)
        found = (_ChainSearch(self, self._sought).requests(list(chain)) for _, chain in chains)
        for request in heapq.merge(*found, key=lambda request: str(request.get("at"))):
            self.found += 1
            yield request


class _ChainSearch:
    """Finds requests in one chain; holds only those in progress at the place it has come to."""

    def __init__(self, whole: Search, sought: Sought) -> None:
        self._whole = whole
        self._sought = sought
        self._open: dict[str, dict[str, Any]] = {}

    def requests(self, files: list[AuditFile]) -> Iterator[Mapping[str, Any]]:
        for file in _from_the_day(files, self._sought.since):
            for data in lines_of(file.path):
                line = line_from(data, None)
                if line is None:
                    self._whole.skipped += 1
                else:
                    yield from self._record(line.record)
        yield from self._interrupted()

    def _record(self, record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        kind, request = record.get("kind"), str(record.get("request"))
        if kind == "start":  # nothing of the process before can follow
            yield from self._interrupted()
        elif kind in STARTS and self._sought.matches(record):
            begun = self._open.setdefault(request, dict(record))
            if begun["seq"] != record["seq"]:  # a function that reads one document after another
                begun["documents"] = [*(begun["documents"] or []), *(record["documents"] or [])]
            if kind == "request":
                yield self._open.pop(request)
        elif kind == "done" and request in self._open:
            begun = self._open.pop(request)
            own = ("chain", "seq", "prev", "mac", "at", "kind", "request")
            yield begun | {name: value for name, value in record.items() if name not in own}

    def _interrupted(self) -> Iterator[Mapping[str, Any]]:
        yield from self._open.values()
        self._open.clear()


def _from_the_day(files: list[AuditFile], since: str) -> Iterator[AuditFile]:
    """Yield the files that may have records from a time on, by when the next one was begun."""
    day = since[:10].replace("-", "")
    for file, following in pairwise([*files, None]):
        if file is not None and (
            following is None or following.chain != file.chain or following.begun[:8] >= day
        ):
            yield file
