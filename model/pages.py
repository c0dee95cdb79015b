"""Which pages of a document are to be read."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.errors import NoSuchPage, TooManyPages


@dataclass(frozen=True, slots=True)
class PageRange:
    """Pages `first` to `last`, both included, counted from 1; without a last, to the end."""

    first: int
    last: int | None

    def upto(self, pages: int) -> range:
        """Return the pages in a document of so many. Raises NoSuchPage."""
        last = pages if self.last is None else self.last
        if self.first > pages or last > pages:
            raise NoSuchPage(pages)
        return range(self.first, last + 1)


ALL_PAGES: tuple[PageRange, ...] = (PageRange(1, None),)


def first_page(ranges: Sequence[PageRange]) -> int:
    """Return the page that is read first."""
    return min(each.first for each in ranges)


def chosen(ranges: Sequence[PageRange], pages: int, *, left: int, limit: int) -> list[int]:
    """Return the pages' numbers, each once, in the document's order.

    Raises NoSuchPage, and TooManyPages where there are more than are `left` of the `limit`.
    """
    numbers: set[int] = set()
    for each in ranges:
        numbers.update(each.upto(pages)[: left + 1])
    if len(numbers) > left:
        raise TooManyPages(limit)
    return sorted(numbers)
