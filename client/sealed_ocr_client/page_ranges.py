"""Which pages of a document are read: "1-3,7,9-"."""

import re
from dataclasses import dataclass
from typing import Self

from sealed_ocr_client.errors import UnusableOption

_RANGE = re.compile(r"([1-9]\d{0,5})(?:(-)([1-9]\d{0,5})?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PageRanges:
    """Ranges `(first, last)` in order, without overlaps; `last` None means to the end."""

    ranges: tuple[tuple[int, int | None], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the ranges of a text such as "1-3,7,9-".

        Raises:
            UnusableOption: the text is not of this form.

        """
        found: list[tuple[int, int | None]] = []
        for part in text.split(","):
            match = _RANGE.fullmatch(part.strip())
            first = int(match[1]) if match else 0
            last = (
                None
                if match and match[2] and not match[3]
                else int(match[3] or first)
                if match
                else 0
            )
            if match is None or (last is not None and last < first):
                raise UnusableOption(f"Pages are written as 1-3,7 or 9-, not as {text!r}.")
            found.append((first, last))
        return cls(_merged(found))

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __str__(self) -> str:
        return ",".join(
            f"{first}-" if last is None else f"{first}-{last}" if last > first else f"{first}"
            for first, last in self.ranges
        )

    def after(self, page: int) -> "PageRanges":
        """Return the pages with a higher number."""
        return PageRanges(
            tuple(
                (max(first, page + 1), last)
                for first, last in self.ranges
                if last is None or last > page
            )
        )

    def first(self, count: int) -> "PageRanges":
        """Return the first `count` pages; of a document that may have fewer."""
        chosen: list[tuple[int, int | None]] = []
        for first, last in self.ranges:
            if not count:
                break
            end = first + count - 1 if last is None else min(last, first + count - 1)
            chosen.append((first, end))
            count -= end - first + 1
        return PageRanges(tuple(chosen))

    def closed_at(self, last_page: int) -> "PageRanges":
        """Return the same pages of a document whose last page is known."""
        return PageRanges(
            tuple(
                (first, last_page if last is None else last)
                for first, last in self.ranges
                if last is not None or first <= last_page
            )
        )

    @property
    def last(self) -> int | None:
        """The last page; None if it is the document's."""
        return self.ranges[-1][1]


def _merged(ranges: list[tuple[int, int | None]]) -> tuple[tuple[int, int | None], ...]:
    merged: list[tuple[int, int | None]] = []
    for first, last in sorted(ranges, key=lambda each: each[0]):
        if merged and (merged[-1][1] is None or first <= merged[-1][1] + 1):
            before = merged[-1][1]
            end = None if before is None or last is None else max(before, last)
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((first, last))
    return tuple(merged)
