"""A request's place among those that read or wait."""

import os
from collections.abc import AsyncGenerator, Sequence
from functools import partial

from model.admission import Ticket
from model.pages import ALL_PAGES, PageRange, chosen, first_page
from model.pipeline import Pipeline
from model.reading import Page
from model.workers import memfd


class Slot:
    """A place among those that read or wait, good for as many pages as a request may ask for."""

    def __init__(self, pipeline: Pipeline, ticket: Ticket, max_pages: int) -> None:
        self._read_page = partial(pipeline.read_page, ticket)
        self._limit = self._left = max_pages

    async def pages(
        self, upload: bytes, *, detect: bool = True, ranges: Sequence[PageRange] = ALL_PAGES
    ) -> AsyncGenerator[Page]:
        """Read an upload's pages in order, each only when it is asked for.

        Without `detect` a page is taken as one line. Raises every ReadingError but Busy.
        """
        descriptor = memfd.copy("upload", upload)
        read = partial(self._read_page, descriptor, len(upload), detect=detect)
        numbers: list[int] = []

        def choose(pages: int) -> None:
            numbers.extend(chosen(ranges, pages, left=self._left, limit=self._limit))
            self._left -= len(numbers)

        try:
            yield await read(first_page(ranges), admit=choose)
            for number in numbers[1:]:
                yield await read(number, admit=lambda _: None)
        finally:
            os.close(descriptor)
