"""The lines of a paragraph that are one text: those that were broken at the right edge only."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from unicodedata import east_asian_width

from handlers.writing.geometry import Point, angle_of, is_column
from model.reader import Line

_LONG = 10  # times a line's height: shorter ones are entries of a list
_LEAST_FULL = 2  # lines that reach the edge: one alone is the longest of any list
_AT_EDGE = 1.0  # times a line's height
_INDENTED = 0.8
_PARALLEL_DEG = 10.0
_WIDE = frozenset("WF")


def running_texts(lines: Sequence[Line]) -> list[str]:
    """Return the texts of a paragraph's lines; those of a running text are joined.

    A line runs on if it is long and ends at the right edge, as others do, and the next one begins
    at the left edge.
    """
    texts: list[str] = []
    joins = False
    for line, runs_on in zip(lines, [*_runs_on(lines), False], strict=True):
        text = line.text or ""
        if joins:
            texts[-1] += _separator(texts[-1], text) + text
        else:
            texts.append(text)
        joins = runs_on
    return texts


def _runs_on(lines: Sequence[Line]) -> Iterator[bool]:
    """Yield of each line but the last whether the next one continues it."""
    direction = angle_of(lines[0].polygon)
    ends = [_ends(line, direction) for line in lines]
    left, right = min(begin for begin, _ in ends), max(end for _, end in ends)
    full = [
        end - begin >= _LONG * _height(line) and end >= right - _AT_EDGE * _height(line)
        for line, (begin, end) in zip(lines, ends, strict=True)
    ]
    is_running = sum(full) >= _LEAST_FULL and all(_is_along(line, direction) for line in lines)
    for (line, following), is_full, (begin, _) in zip(
        pairwise(lines), full[:-1], ends[1:], strict=True
    ):
        begins_at_edge = begin <= left + _INDENTED * _height(following)
        yield bool(is_running and is_full and begins_at_edge and line.text and following.text)


def _ends(line: Line, direction_deg: float) -> tuple[float, float]:
    """Return where a line begins and ends, along a direction."""
    begin, end, *_ = line.polygon
    return _along(begin, direction_deg), _along(end, direction_deg)


def _along(point: Point, direction_deg: float) -> float:
    x, y = point
    angle = math.radians(direction_deg)
    return x * math.cos(angle) + y * math.sin(angle)


def _is_along(line: Line, direction_deg: float) -> bool:
    difference = (angle_of(line.polygon) - direction_deg + 180) % 360 - 180
    return abs(difference) <= _PARALLEL_DEG and not is_column(line)


def _height(line: Line) -> float:
    return math.dist(line.polygon[0], line.polygon[3])


def _separator(before: str, after: str) -> str:
    """Return a space, but none beside a Chinese character or after a hyphen."""
    if before.endswith("-") or _is_wide(before[-1]) or _is_wide(after[0]):
        return ""
    return " "


def _is_wide(character: str) -> bool:
    return east_asian_width(character) in _WIDE
