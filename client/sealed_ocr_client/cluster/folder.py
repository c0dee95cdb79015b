"""A run over folders: a bounded number of files and pages at a time, and what became of each."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sealed_ocr_client.cluster.connection import Connection
from sealed_ocr_client.cluster.document_reader import DocumentReader
from sealed_ocr_client.cluster.failures import SetAside, UnusableCluster
from sealed_ocr_client.cluster.limit import Limit
from sealed_ocr_client.cluster.tally import Tally
from sealed_ocr_client.errors import OcrError, UnreadableFile
from sealed_ocr_client.formats import Format
from sealed_ocr_client.inputs import Input, each_input, each_output
from sealed_ocr_client.outputs import is_whole, is_written, write_whole
from sealed_ocr_client.progress import Report

PAGES_PER_THREAD = 2  # of the workers: one is being read, one is on its way
FEWEST = 4
MOST_BYTES = 256 * 2**20  # of the documents that are being read
EACH_S = 2.0
SILENT_S = 30.0  # a scheduler that says nothing for so long is lost
KEPT_FAILURES = 1000  # named at the end; all of them are named when they happen

Failure = tuple[str, OcrError]


def aside_file(target: Path) -> Path:
    """Return the file that says which page of a document is set aside."""
    return target.with_name(f"{target.name}.set-aside")


@dataclass
class Folder:
    """Reads the files of a command line; each result is written once, by renaming."""

    connection: Connection
    documents: DocumentReader
    arguments: Sequence[str]
    out: Path | None
    form: Format
    report: Report
    tally: Tally
    max_wait_s: float
    again: bool = False
    written: int = 0
    skipped: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    _files: Limit = field(default_factory=lambda: Limit(FEWEST))
    _bytes: Limit = field(default_factory=lambda: Limit(MOST_BYTES))
    _stopping: threading.Event = field(default_factory=threading.Event)

    async def run(self) -> None:
        """Read them. An error that concerns all files ends the run.

        Raises:
            OcrError: the cluster cannot be used, or an argument.

        """
        await self.connection.client()
        threading.Thread(target=self._count, daemon=True).start()
        watching = asyncio.create_task(self._watch())
        reading = asyncio.create_task(self._read_all())
        try:
            await asyncio.wait({watching, reading}, return_when=asyncio.FIRST_COMPLETED)
            for task in (watching, reading):
                if task.done():
                    task.result()
        finally:
            self._stopping.set()
            for task in (watching, reading):
                task.cancel()
            await asyncio.gather(watching, reading, return_exceptions=True)

    async def _read_all(self) -> None:
        running: set[asyncio.Task[None]] = set()
        ended: list[BaseException] = []

        def done(task: asyncio.Task[None]) -> None:
            running.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                ended.append(error)

        inputs = each_input(self.arguments)
        found = each_output(inputs, self.form, self.out, distinct=len(self.arguments) == 1)
        try:
            while (one := await asyncio.to_thread(next, found, None)) is not None:
                await self._files.take()
                if ended:
                    break
                task = asyncio.create_task(self._one(*one))
                running.add(task)
                task.add_done_callback(done)
            while running and not ended:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if ended:
            raise ended[0]

    async def _one(self, one: Input, target: Path) -> None:
        """Read a file, or say why not.

        Raises:
            OcrError: it concerns all files.

        """
        try:
            if not self.again and is_written(target):
                if is_whole(target):
                    self.skipped += 1
                    self.tally.files_done += 1
                    return
                self.report.say(f"{one.name}: its result {target} is cut off; it is read again.")
            said = await self._said(one, target)
        except (OcrError, OSError) as error:
            said = f"not read: {self._failed(one, error)}"
        finally:
            await asyncio.shield(self._files.give_back())
        self.tally.files_done += 1
        self.report.done(f"{one.name}: {said}")

    def _failed(self, one: Input, error: OcrError | OSError) -> OcrError:
        """Count a file that was not read; return why.

        Raises:
            OcrError: it concerns all files.

        """
        if isinstance(error, OSError):
            error = UnreadableFile.because(error)
        if error.concerns_all:
            raise error
        self.failed += 1
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append((one.name, error))
        return error

    async def _said(self, one: Input, target: Path) -> str:
        """Read a file; return what to say of it.

        Raises:
            OcrError: it could not be read.
            OSError: a file cannot be opened or written.

        """
        aside = aside_file(target)
        if not self.again and aside.exists():
            raise SetAsideBefore(aside)
        size = 0
        with suppress(OSError):
            size = 0 if one.path is None else one.path.stat().st_size
        async with self._bytes.taken(size):
            self.tally.opened()
            try:
                await self.documents.read(one, target)
            except SetAside as error:
                text = f"{one.name}: {error}\n".encode(errors="surrogateescape")
                await asyncio.to_thread(write_whole, aside, text)
                raise
        aside.unlink(missing_ok=True)
        self.written += 1
        return str(target)

    async def _watch(self) -> None:
        """Show how far it is, and adapt to the number of workers.

        Raises:
            UnusableCluster: there have been no workers for `max_wait_s`.

        """
        without_s = 0.0
        while True:
            client = await self.connection.client()
            try:
                async with asyncio.timeout(SILENT_S):
                    found = await client.scheduler.identity(n_workers=0)  # type: ignore[union-attr]
            except (OSError, TimeoutError):
                await self.connection.lost(client)
                continue
            self.tally.workers, self.tally.threads = found["n_workers"], found["total_threads"]
            if self.tally.workers:
                without_s = 0.0
            elif not without_s:
                self.report.say("The cluster has no worker: waiting for one.")
            most = max(FEWEST, PAGES_PER_THREAD * self.tally.threads)
            await self._files.set(most)
            await self.documents.places.set(most)
            self.report.state(str(self.tally))
            await asyncio.sleep(EACH_S)
            without_s += EACH_S * (not self.tally.workers)
            if without_s > self.max_wait_s:
                raise UnusableCluster(
                    f"The cluster has had no worker for {self.max_wait_s:.0f} s. Does "
                    "scripts/cluster worker run on its nodes?"
                )

    def _count(self) -> None:
        """Count the files, in a thread: it may take minutes on a file server."""
        number = 0
        with suppress(OcrError, OSError):
            for _ in self._until_stopped(each_input(self.arguments)):
                number += 1
            if not self._stopping.is_set():
                self.tally.files = number

    def _until_stopped(self, found: Iterator[Input]) -> Iterator[Input]:
        for each in found:
            if self._stopping.is_set():
                return
            yield each


class SetAsideBefore(OcrError):
    """An earlier run has set a page of the file aside."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"set aside in an earlier run ({file}); --again reads it")
