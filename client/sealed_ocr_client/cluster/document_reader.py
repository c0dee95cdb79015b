"""One document on a cluster: its first page tells how many it has, then the others are read."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sealed_ocr_client.client import is_document
from sealed_ocr_client.cluster.failures import SetAside
from sealed_ocr_client.cluster.kept_pages import KeptPages
from sealed_ocr_client.cluster.limit import Limit
from sealed_ocr_client.cluster.page_reader import PageLine, PageReader, Ranges
from sealed_ocr_client.cluster.sent import Sent
from sealed_ocr_client.cluster.tally import Tally
from sealed_ocr_client.errors import OcrError
from sealed_ocr_client.formats import Format, Page
from sealed_ocr_client.inputs import Input
from sealed_ocr_client.options import Options
from sealed_ocr_client.outputs import is_whole, write_whole
from sealed_ocr_client.page_ranges import PageRanges

ALL: Ranges = ((1, None),)


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Reads files into results. `places` limits the pages that are with the cluster."""

    reader: PageReader
    form: Format
    options: Options
    places: Limit
    tally: Tally
    shared: bool

    async def read(self, one: Input, target: Path) -> None:
        """Write the result of a file, page by page until it is whole.

        Raises:
            OcrError: it could not be read.
            OSError: it cannot be opened, or its result or a page not be written.

        """
        upload = await asyncio.to_thread(one.content)
        digest = await asyncio.to_thread(lambda: hashlib.sha256(upload).hexdigest())
        paged = is_document(upload, self.options)
        sent = Sent(digest, upload)
        if self.shared:
            sent = Sent(digest, None, str(Path.cwd() / one.name))
        reading = _Reading(self, sent, KeptPages(target, digest, self.options.query()))
        content = await reading.content(target, paged=paged)
        if content is not None:
            await asyncio.to_thread(write_whole, target, content)
        reading.kept.discard()


class _Reading:
    """The pages of one document."""

    def __init__(self, by: DocumentReader, sent: Sent, kept: KeptPages) -> None:
        self._by = by
        self._sent = sent
        self.kept = kept
        self._ranges: Ranges = (
            ALL if by.options.pages is None else PageRanges.parse(by.options.pages).ranges
        )
        self._request_id = secrets.token_hex(8)

    async def content(self, target: Path, *, paged: bool) -> bytes | None:
        """Return the result; None if another client has written it meanwhile.

        Raises:
            OcrError: a page could not be read.

        """
        try:
            pages = await self._pages(target)
        finally:
            self._sent.forget()
        if pages is None or self._by.form.from_pages is None:
            return None
        return self._by.form.from_pages(pages, paged or len(pages) > 1)

    async def _pages(self, target: Path) -> list[Page] | None:
        """Return the pages, in order; None if the result is there, from another client."""
        done, of = await asyncio.to_thread(self.kept.numbers)
        first = self._ranges[0][0]
        if not of:
            self._by.tally.known(1)
            line = await self._one(first, self._ranges)
            of = line.of
            numbers = _chosen(self._ranges, of)
            if len(numbers) == 1:
                return [json.loads(line.line)]
            self._by.tally.known(len(numbers) - 1)
            await asyncio.to_thread(self.kept.add, first, of, line.line)
            done = {first}
        else:
            numbers = _chosen(self._ranges, of)
            self._by.tally.known(len(set(numbers) - done))
        missing = [number for number in numbers if number not in done]
        while True:
            await self._read_all(missing, of)
            pages, missing = await asyncio.to_thread(self.kept.load, numbers, of)
            if not missing:
                return pages
            if is_whole(target):
                return None

    async def _read_all(self, numbers: Sequence[int], of: int) -> None:
        """Read pages, as many at a time as there are places, and keep them.

        Raises:
            OcrError: the first page that failed; those before it are kept.
            OSError: a page could not be kept.

        """
        failed: dict[int, OcrError | OSError] = {}
        running: set[asyncio.Task[None]] = set()

        async def read(number: int) -> None:
            try:
                line = await self._one(number, ((number, number),), placed=True)
                await asyncio.to_thread(self.kept.add, number, of, line.line)
            except (OcrError, OSError) as error:
                failed[number] = error

        try:
            for number in numbers:
                await self._by.places.take()
                if any(not isinstance(error, SetAside) for error in failed.values()):
                    await self._by.places.give_back()
                    break
                task = asyncio.create_task(read(number))
                running.add(task)
                task.add_done_callback(running.discard)
            await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if failed:
            raise failed[min(failed)]

    async def _one(self, number: int, ranges: Ranges, *, placed: bool = False) -> PageLine:
        """Read a page; its place is taken already if it is `placed`."""
        if not placed:
            await self._by.places.take()
        try:
            line = await self._by.reader.read(self._sent, number, ranges, self._request_id)
        finally:
            await asyncio.shield(self._by.places.give_back())
        self._by.tally.page()
        return line


def _chosen(ranges: Ranges, of: int) -> list[int]:
    """Return the numbers of the pages of a document that are selected."""
    return [
        number
        for first, last in ranges
        for number in range(first, (of if last is None else last) + 1)
    ]
