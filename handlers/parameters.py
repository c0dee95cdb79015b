"""The query parameters of POST /ocr."""

import re
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from handlers.errors import UnknownParameter
from model.reader import ALL_PAGES, PageRange

_VALID = "detect=true, detect=false, pages=1-3,7, pages=9-"
_MAX_LENGTH = 200
_RANGE = re.compile(r"([1-9]\d{0,5})(?:(-)([1-9]\d{0,5})?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameters:
    """`detect`: find the lines of a page, or take it as one line. `paged`: pages were selected."""

    detect: bool = True
    pages: tuple[PageRange, ...] = ALL_PAGES
    paged: bool = False


def parameters_of(query: QueryParams) -> Parameters:
    """Return the parameters of a query.

    Raises:
        UnknownParameter: a parameter is unknown, appears twice, or has an invalid value.

    """
    given = query.multi_items()
    values = dict(given)
    if len(values) < len(given) or not values.keys() <= {"detect", "pages"}:
        raise UnknownParameter(_VALID)
    detect = values.get("detect", "true")
    if detect not in {"true", "false"}:
        raise UnknownParameter(_VALID)
    if "pages" not in values:
        return Parameters(detect=detect == "true")
    return Parameters(detect=detect == "true", pages=_ranges(values["pages"]), paged=True)


def _ranges(text: str) -> tuple[PageRange, ...]:
    """Return the ranges of "1-3,7,9-"; "9-" extends to the last page."""
    found = [_RANGE.fullmatch(part.strip()) for part in text[:_MAX_LENGTH].split(",")]
    ranges = [
        PageRange(int(match[1]), int(match[3] or (0 if match[2] else match[1])) or None)
        for match in found
        if match is not None
    ]
    reversed_range = any(each.last is not None and each.last < each.first for each in ranges)
    if len(text) > _MAX_LENGTH or len(ranges) < len(found) or reversed_range:
        raise UnknownParameter(_VALID)
    return tuple(ranges)
