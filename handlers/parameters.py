"""The query of POST /ocr: what is to be done with the uploads."""

import re
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from handlers.errors import UnknownParameter
from model.reader import ALL_PAGES, PageRange

_TAKES = "detect=true, detect=false, pages=1-3,7, pages=9-"
_LONGEST = 200
_RANGE = re.compile(r"([1-9]\d{0,5})(?:(-)([1-9]\d{0,5})?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameters:
    """`detect`: lines are looked for, or each page is one line. `paged`: pages were asked for."""

    detect: bool = True
    pages: tuple[PageRange, ...] = ALL_PAGES
    paged: bool = False


def parameters_of(query: QueryParams) -> Parameters:
    """Return the query's parameters.

    Raises:
        UnknownParameter: one is not known, comes twice, or has a value that it cannot have.

    """
    given = query.multi_items()
    values = dict(given)
    if len(values) < len(given) or not values.keys() <= {"detect", "pages"}:
        raise UnknownParameter(_TAKES)
    detect = values.get("detect", "true")
    if detect not in {"true", "false"}:
        raise UnknownParameter(_TAKES)
    if "pages" not in values:
        return Parameters(detect=detect == "true")
    return Parameters(detect=detect == "true", pages=_ranges(values["pages"]), paged=True)


def _ranges(text: str) -> tuple[PageRange, ...]:
    """Return the ranges of "1-3,7,9-"; "9-" goes to the end."""
    found = [_RANGE.fullmatch(part.strip()) for part in text[:_LONGEST].split(",")]
    ranges = [
        PageRange(int(match[1]), int(match[3] or (0 if match[2] else match[1])) or None)
        for match in found
        if match is not None
    ]
    backwards = any(each.last is not None and each.last < each.first for each in ranges)
    if len(text) > _LONGEST or len(ranges) < len(found) or backwards:
        raise UnknownParameter(_TAKES)
    return tuple(ranges)
