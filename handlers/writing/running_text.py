"""The lines of a paragraph that are one text: those that were broken at the right edge only."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from unicodedata import east_asian_width

from handlers.writing.geometry import is_turned
from model.reader import Line

_LONG = 10  # times a line's height: shorter ones are entries of a list
_LEAST_FULL = 2  # lines that reach the edge: one alone is the longest of any list
_AT_EDGE = 1.0  # times a line's height
_INDENTED = 0.8
_WIDE = frozenset("WF")


def running_texts(lines: Sequence[Line]) -> list[str]:
    """Return the texts of a paragraph's lines; those of a running text are joined.

    A line runs on if it is long and ends at the right edge, as others do, and the next one begins
    at the left edge. Turned lines stay apart.
    """
    runs_on = list(_runs_on(lines))
    texts: list[str] = []
    joins = False
    for line, goes_on in zip(lines, [*runs_on, False], strict=True):
        text = line.text or ""
        if joins:
            texts[-1] += _separator(texts[-1], text) + text
        else:
            texts.append(text)
        joins = goes_on
    return texts


def _runs_on(lines: Sequence[Line]) -> Iterator[bool]:
    """Yield of each line but the last whether the next one continues it."""
    left = min(line.polygon[0][0] for line in lines)
    right = max(line.polygon[1][0] for line in lines)
    full = [_is_full(line, right) for line in lines]
    is_running = sum(full) >= _LEAST_FULL and not any(is_turned(line.polygon) for line in lines)
    for (line, following), is_full in zip(pairwise(lines), full[:-1], strict=True):
        begins_at_edge = following.polygon[0][0] <= left + _INDENTED * _height(following)
        yield bool(is_running and is_full and begins_at_edge and line.text and following.text)


def _is_full(line: Line, right: int) -> bool:
    height, (end, _) = _height(line), line.polygon[1]
    return end - line.polygon[0][0] >= _LONG * height and end >= right - _AT_EDGE * height


def _height(line: Line) -> int:
    return line.polygon[3][1] - line.polygon[0][1]


def _separator(before: str, after: str) -> str:
    """Return a space, but none beside a Chinese character or after a hyphen."""
    if before.endswith("-") or _is_wide(before[-1]) or _is_wide(after[0]):
        return ""
    return " "


def _is_wide(character: str) -> bool:
    return east_asian_width(character) in _WIDE
