"""The serving processes of one service give each other their metrics, so that one scrape has all.

Which process a scrape reaches is chance. Each listens on a Unix socket in the kernel's abstract
namespace, whose name ends with the process's number; whoever is scraped asks all others. Nothing is
written to a file, and a process that ends leaves nothing behind.
"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from metrics.family import Family, Sample

WAIT_S = 5.0
"""How long a process waits for the others: longer than the checks of /readyz may take."""

MOST_BYTES = 64 << 20
SPARE = 2
"""Numbers for each worker: one that ends may overlap with the one that takes its place."""

Collect = Callable[[], Awaitable[list[Family]]]


class Workers:
    """The metrics of all serving processes of a service.

    `group` is what only the processes of one service know each other by, `workers` their number,
    `collect` returns the metrics of this one.
    """

    def __init__(self, group: str, workers: int, collect: Collect) -> None:
        self._group = group
        self._numbers = range(1, workers * SPARE + 1)
        self._collect = collect
        self._number = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Take the lowest number that is free, and answer the other processes."""
        for number in self._numbers:
            with suppress(OSError):  # the number is taken
                self._server = await asyncio.start_unix_server(self._answer, self._name(number))
                self._number = number
                return

    def close(self) -> None:
        """Give the number back."""
        if self._server is not None:
            self._server.close()

    async def families(self) -> list[Family]:
        """Return the metrics of all processes, each sample with the label `worker`.

        A process that does not answer in time is left out.
        """
        others = [number for number in self._numbers if number != self._number]
        found = await asyncio.gather(self._collect(), *map(self._ask, others))
        return merged(zip([self._number, *others], found, strict=True))

    def _name(self, number: int) -> str:
        return f"\0sealed-ocr-{self._group}-{number}"

    async def _ask(self, number: int) -> list[Family]:
        """Return another process's metrics; none if there is no such process."""
        try:
            async with asyncio.timeout(WAIT_S):
                reader, writer = await asyncio.open_unix_connection(
                    self._name(number), limit=MOST_BYTES
                )
                try:
                    if not _same_user(writer):
                        return []
                    return decoded(await reader.readuntil(b"\n"))
                finally:
                    writer.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return []

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send this process's metrics to a process of the same user."""
        try:
            if _same_user(writer):
                writer.write(encoded(await self._collect()))
                async with asyncio.timeout(WAIT_S):
                    await writer.drain()
        except OSError:  # also TimeoutError: it has gone, or does not read
            writer.transport.abort()
        finally:
            writer.close()


def merged(found: Iterable[tuple[int, list[Family]]]) -> list[Family]:
    """Return one family for each name, its samples labelled with the number of their process."""
    families: dict[str, Family] = {}
    for number, each in found:
        for family in each:
            samples = [
                Sample(suffix, {"worker": str(number), **labels}, value)
                for suffix, labels, value in family.samples
            ]
            before = families.get(family.name)
            families[family.name] = Family(
                family.name,
                family.kind,
                family.meaning,
                [*(before.samples if before is not None else ()), *samples],
            )
    return list(families.values())


def encoded(families: Iterable[Family]) -> bytes:
    """Return families as one line of JSON."""
    plain = [[each.name, each.kind, each.meaning, [*each.samples]] for each in families]
    return json.dumps(plain).encode() + b"\n"


def decoded(line: bytes) -> list[Family]:
    """Return the families that `encoded` made a line of."""
    return [
        Family(name, kind, meaning, [Sample(*sample) for sample in samples])
        for name, kind, meaning, samples in json.loads(line)
    ]


def _same_user(writer: asyncio.StreamWriter) -> bool:
    """Return whether the process at the other end is of the user that this one runs as.

    Names in the abstract namespace have no permissions: any process may take one, or ask.
    """
    connection = writer.get_extra_info("socket")
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _pid, user, _group = struct.unpack("3i", credentials)
    return bool(user == os.geteuid())
