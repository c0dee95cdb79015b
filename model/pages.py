"""The pages of a document that a request selects."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.errors import NoSuchPage, TooManyPages


@dataclass(frozen=True, slots=True)
class PageRange:
    """Pages `first` to `last`, both included, counted from 1; without `last`, to the end."""

    first: int
    last: int | None

    def within(self, pages: int) -> range:
        """Return the range's page numbers in a document with this number of pages.

        Raises:
            NoSuchPage: the document has fewer.

        """
        last = pages if self.last is None else self.last
        if self.first > pages or last > pages:
            raise NoSuchPage(pages)
        return range(self.first, last + 1)


ALL_PAGES: tuple[PageRange, ...] = (PageRange(1, None),)


def first_page(ranges: Sequence[PageRange]) -> int:
    """Return the number of the page that is read first."""
    return min(each.first for each in ranges)


def chosen(ranges: Sequence[PageRange], pages: int, *, left: int, limit: int) -> list[int]:
    """Return the numbers of the selected pages, each once, in the document's order.

    Raises:
        NoSuchPage: the document has fewer pages.
        TooManyPages: there are more than are `left` of the request's `limit`.

    """
    numbers: set[int] = set()
    for each in ranges:
        numbers.update(each.within(pages)[: left + 1])
    if len(numbers) > left:
        raise TooManyPages(pages, limit)
    return sorted(numbers)
