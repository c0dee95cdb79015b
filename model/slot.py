"""A request's slot: reads the pages of its uploads, one after the other."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from model.admission import Ticket
from model.options import DEFAULT_OPTIONS, ReadingOptions
from model.pages import ALL_PAGES, PageRange, chosen, first_page
from model.pipeline import Pipeline
from model.reading import Page
from model.workers import memfd

Charge = Callable[[int], Awaitable[None]]


async def free_of_charge(_pages: int) -> None:
    """Charge nothing."""


class Slot:
    """An admitted request; its uploads may have `max_pages` pages in all.

    `charge` gets the number of pages that are to be read of each upload, before one of them is
    recognised; what it raises ends the reading.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        ticket: Ticket,
        max_pages: int,
        charge: Charge = free_of_charge,
    ) -> None:
        self._pipeline = pipeline
        self._ticket = ticket
        self._charge = charge
        self._max_pages = max_pages
        self._pages_left = max_pages

    async def pages(
        self,
        upload: bytes,
        options: ReadingOptions = DEFAULT_OPTIONS,
        *,
        ranges: Sequence[PageRange] = ALL_PAGES,
        most: int | None = None,
    ) -> AsyncGenerator[Page]:
        """Read the pages of an upload in order, each when it is requested; at most `most`.

        The first page's decoder also counts the document's pages, so the others are chosen after
        that.

        Raises:
            ReadingError: any; Busy if there is no file descriptor left.

        """
        file = memfd.sealed_copy("upload", upload)
        try:
            async with self._pipeline.decoded(
                self._ticket, file, len(upload), first_page(ranges)
            ) as page:
                left = self._pages_left if most is None else min(self._pages_left, most)
                numbers = chosen(ranges, page.image.pages, left=left, limit=self._max_pages)
                await self._charge(len(numbers))
                self._pages_left -= len(numbers)
                reading = await self._pipeline.recognise(page, options)
            yield reading
            for number in numbers[1:]:
                async with self._pipeline.decoded(self._ticket, file, len(upload), number) as page:
                    reading = await self._pipeline.recognise(page, options)
                yield reading
        finally:
            os.close(file)
