"""The numbers of pages in formats that have no place for the number of an upload."""

from handlers.formats.format import ResponseInfo
from model.reader import Page


class PageNumbers:
    """Numbers pages as their document does; if there are several uploads, through all of them."""

    def __init__(self, info: ResponseInfo) -> None:
        self._several = info.uploads > 1
        self._count = 0

    def next(self, page: Page) -> int:
        """Return the number of the next page, from 1."""
        self._count += 1
        return self._count if self._several else page.number
