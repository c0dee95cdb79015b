"""The audit trail of a serving process: a chain of records, brought to the disk in time."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audit.chain import Chain, Problem, Report, Totals
from audit.keys import AuditKeys
from audit.write_back import write_back

HOUR_S = 3600.0
NEIGHBOURS_S = 5.0
"""Between looks for a new chain: until it is noted, it could be removed unnoticed."""

UNAWAITED_S = 1.0
"""Until a record is synced that no request waits for, with `sync_s` 0."""


class Trail:
    """Writes records, and has them on the disk in time.

    A record is in the file when `append` returns, and on the disk `sync_s` seconds later, or, if
    that is 0, when `durable` returns. Only the thread of the event loop calls it; files are synced
    and closed in another.
    """

    def __init__(
        self,
        directory: Path,
        keys: AuditKeys,
        *,
        max_file_bytes: int,
        sync_s: float,
        report: Report,
    ) -> None:
        """Begin to write a chain of the directory.

        Raises:
            OSError: the directory cannot be written to.
            NotAHead: the head of the chain was changed, or made with another key.
            UnreadableFile: a file of the chain cannot be read.

        """
        self._keys = keys
        self._sync_s = sync_s
        self._chain = Chain(directory, keys, max_file_bytes=max_file_bytes, report=report)
        self._synced = self._chain.seq
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._syncing: asyncio.Task[OSError | None] | None = None
        self._thread = ThreadPoolExecutor(1, "audit")

    @property
    def totals(self) -> Totals:
        """What was written since the start."""
        return self._chain.totals

    @property
    def problem(self) -> Problem | None:
        """Why records cannot be written; None if they can."""
        return self._chain.problem

    def serve(self) -> None:
        """Begin to sync on the running event loop, and to note every hour how far the chains go."""
        self._loop = asyncio.get_running_loop()
        self._later("heads", HOUR_S, self._note_heads)
        self._look_for_neighbours()

    def hash_of(self, document: bytes) -> str:
        """Return the keyed hash of a document."""
        return self._keys.hash_of(document)

    def append(self, **fields: object) -> None:
        """Write a record; `kind` says what it is of.

        Raises:
            OSError: it is not written. The next record is preceded by one of the gap.

        """
        self._chain.append(**fields)
        self._sync_later()

    def works(self) -> bool:
        """Return whether records can be written, after another attempt if they could not."""
        works = self._chain.works()
        self._sync_later()
        return works

    async def durable(self) -> None:
        """Wait until what was appended is on the disk, if `sync_s` is 0.

        Raises:
            OSError: it may not be there.

        """
        seq = self._chain.seq
        while self._sync_s == 0 and self._synced < seq:
            # What others append meanwhile goes to the disk together, in the next round.
            if (error := await asyncio.shield(self._sync())) is not None:
                raise error

    async def aclose(self) -> None:
        """Write the record of the end, sync and close everything."""
        for timer in self._timers.values():
            timer.cancel()
        self._loop = None
        if self._syncing is not None:
            await self._syncing
        with contextlib.suppress(OSError):  # it is logged
            self._chain.end()
        await self._sync()
        self._thread.shutdown()
        self._chain.head_file.close()

    def _later(self, name: str, seconds: float, call: Callable[[], object]) -> None:
        """Call once after some seconds, unless that is due already; without a loop, never."""
        if self._loop is not None and name not in self._timers:

            def due() -> None:
                del self._timers[name]
                call()

            self._timers[name] = self._loop.call_later(seconds, due)

    def _note_heads(self) -> None:
        """Log this chain's head, and record the others': so none can be removed unnoticed."""
        self._later("heads", HOUR_S, self._note_heads)
        self._chain.announced = True
        with contextlib.suppress(OSError):  # it is logged
            if others := self._chain.others():
                self._chain.append(kind="heads", heads=others)
        self._sync()

    def _look_for_neighbours(self) -> None:
        self._later("neighbours", NEIGHBOURS_S, self._look_for_neighbours)
        if self._chain.has_new_neighbour():
            self._note_heads()

    def _sync_later(self) -> None:
        if self._synced < self._chain.seq:
            self._later("sync", self._sync_s or UNAWAITED_S, self._sync)

    def _sync(self) -> "asyncio.Task[OSError | None]":
        """Return the sync that is going on, or begin one."""
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.get_running_loop().create_task(self._synced_once())
        return self._syncing

    async def _synced_once(self) -> OSError | None:
        batch = self._chain.take()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, write_back, batch, self._chain.head_file)
        except OSError as error:
            self._chain.not_written_back(batch, error)
            return error
        self._synced = batch.head.seq
        self._chain.wrote_back(batch)
        self._sync_later()
        return None
