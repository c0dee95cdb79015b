"""The parameters of POST /ocr, from its query, its form fields or its JSON members."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from handlers.errors import InvalidPages, InvalidParameter, RepeatedParameter, UnknownParameter
from handlers.formats.format import Format
from handlers.formats.registry import format_named, names
from model.reader import ALL_PAGES, PageImage, PageRange, ReadingOptions, WordMode

_FLAGS = {"true": True, "false": False}
_ORDERS = {"columns": True, "rows": False}
_WORDS = {mode.value: mode for mode in (WordMode.WORD, WordMode.CHAR)}
_IMAGES = {PageImage.JPEG.value: PageImage.JPEG}
_VALUES: Mapping[str, Iterable[str]] = {
    "detect": _FLAGS,
    "order": _ORDERS,
    "pages": ("1-3,7", "9-"),
    "partial": _FLAGS,
    "words": _WORDS,
    "min_confidence": ("0.9",),
    "page_image": _IMAGES,
    "dpi": ("150",),
    "format": names(),
}
NAMES = frozenset(_VALUES)
VALID = ", ".join(f"{name}={value}" for name, values in _VALUES.items() for value in values)
MAX_LENGTH = 200
_RANGE = re.compile(r"([1-9]\d{0,5})(?:(-)([1-9]\d{0,5})?)?", re.ASCII)
_NUMBER = re.compile(r"-?(\d{1,20}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)
_DPI = re.compile(r"[1-9]\d{1,3}", re.ASCII)
LEAST_DPI, MOST_DPI = 36, 1200

Given = Sequence[tuple[str, str]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parameters:
    """How the uploads of a request are read.

    `paged`: pages were selected. `partial`: a file that cannot be read does not end the request.
    `min_confidence`: lines of a lower one have no text. `format`: the response's; None if the
    Accept header has it.
    """

    options: ReadingOptions = field(default_factory=ReadingOptions)
    pages: tuple[PageRange, ...] = ALL_PAGES
    paged: bool = False
    partial: bool = False
    min_confidence: float = 0.0
    format: Format | None = None


_DEFAULTS = Parameters()


def parameters_of(given: Given) -> Parameters:
    """Return the parameters from their names and values, in any order.

    Raises:
        UnknownParameter: a parameter is unknown, appears twice, or has an invalid value.

    """
    values: dict[str, str] = {}
    for name, value in given:
        if name not in NAMES:
            raise UnknownParameter(VALID)
        if name in values:
            raise RepeatedParameter(VALID, name)
        values[name] = value
    if not values:
        return _DEFAULTS
    options = ReadingOptions(
        detect=_choice("detect", values.get("detect", "true"), _FLAGS),
        by_columns=_choice("order", values.get("order", "columns"), _ORDERS),
        words=_choice("words", values["words"], _WORDS) if "words" in values else WordMode.NONE,
        image=_choice("page_image", values["page_image"], _IMAGES)
        if "page_image" in values
        else None,
        image_dpi=_dpi(values["dpi"]) if "dpi" in values else None,
    )
    return Parameters(
        options=options,
        pages=_ranges(values["pages"]) if "pages" in values else ALL_PAGES,
        paged="pages" in values,
        partial=_choice("partial", values.get("partial", "false"), _FLAGS),
        min_confidence=_confidence(values.get("min_confidence", "0")),
        format=_format(values["format"]) if "format" in values else None,
    )


def _choice(name: str, text: str, values: Mapping[str, T]) -> T:
    if text not in values:
        raise InvalidParameter(", ".join(values), name)
    return values[text]


def _format(name: str) -> Format:
    if name not in names():
        raise InvalidParameter(", ".join(names()), "format")
    return format_named(name)


def _confidence(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not 0 <= float(text) <= 1:
        raise InvalidParameter("0.0-1.0", "min_confidence")
    return float(text)


def _dpi(text: str) -> int:
    if not _DPI.fullmatch(text) or not LEAST_DPI <= int(text) <= MOST_DPI:
        raise InvalidParameter(f"{LEAST_DPI}-{MOST_DPI}", "dpi")
    return int(text)


def _ranges(text: str) -> tuple[PageRange, ...]:
    """Return the ranges of "1-3,7,9-"; "9-" extends to the last page."""
    found = [_RANGE.fullmatch(part.strip()) for part in text[:MAX_LENGTH].split(",")]
    ranges = [
        PageRange(int(match[1]), int(match[3] or (0 if match[2] else match[1])) or None)
        for match in found
        if match is not None
    ]
    reversed_range = any(each.last is not None and each.last < each.first for each in ranges)
    if len(text) > MAX_LENGTH or len(ranges) < len(found) or reversed_range:
        raise InvalidPages(",".join(_VALUES["pages"]), "pages")
    return tuple(ranges)


def pages_after(ranges: Sequence[PageRange], number: int) -> str | None:
    """Return the value of `pages` for those of the ranges after page `number`; None without any."""
    left = [
        PageRange(max(each.first, number + 1), each.last)
        for each in ranges
        if each.last is None or each.last > number
    ]
    return ",".join(dict.fromkeys(map(_text, left))) or None


def _text(pages: PageRange) -> str:
    if pages.last is None:
        return f"{pages.first}-"
    return str(pages.first) if pages.first == pages.last else f"{pages.first}-{pages.last}"
