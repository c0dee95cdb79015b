"""Boxes and angles of lines and words, from their polygons; in px of the page."""

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from model.reader import Line, Page

Point = tuple[int, int]
Polygon = Sequence[Point]

_SIDEWAYS_DEG = 45.0
_COLUMN = 1.5  # a line of upright characters this many times as high as wide is a column of them
_DESCENDER = 0.15  # of the height of a line without words, below its baseline


class Box(NamedTuple):
    """A rectangle whose sides are parallel to those of the page."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """The distance from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """The distance from top to bottom."""
        return self.bottom - self.top


def bounds(*polygons: Polygon) -> Box:
    """Return the smallest box around polygons, of which there is at least one."""
    xs, ys = zip(*chain.from_iterable(polygons), strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))


def box_of(polygons: Iterable[Polygon], page: Page) -> Box:
    """Return the part of `bounds` that is on the page."""
    box = bounds(*polygons)
    left, right = (min(max(x, 0), page.width) for x in (box.left, box.right))
    top, bottom = (min(max(y, 0), page.height) for y in (box.top, box.bottom))
    return Box(left, top, right, bottom)


def lines_box(page: Page, lines: Iterable[int]) -> Box:
    """Return the box of the lines with these indices, of which there is at least one."""
    return box_of((page.lines[index].polygon for index in lines), page)


def angle_of(polygon: Polygon) -> float:
    """Return by how many degrees a line is turned clockwise: above -180, at most 180."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = polygon
    return math.degrees(math.atan2(y1 - y0 + y2 - y3, x1 - x0 + x2 - x3))


def is_turned(polygon: Polygon) -> bool:
    """Whether a line is upside down or on its side."""
    return abs(angle_of(polygon)) > _SIDEWAYS_DEG


def is_column(line: Line) -> bool:
    """Whether a line is a column of upright characters, one below the other."""
    top_left, top_right, _, bottom_left = line.polygon
    width, height = math.dist(top_left, top_right), math.dist(top_left, bottom_left)
    return len(line.words) > 1 and height > _COLUMN * width


def baseline_of(line: Line) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return where the baseline of a line begins and ends: an estimate.

    It is the lower edge of its polygon, raised to the lower edge of most words.
    """
    top_left, top_right, bottom_right, bottom_left = line.polygon
    height = math.dist(top_left, bottom_left) or 1
    above = [_distance(word.polygon[3], bottom_left, bottom_right) for word in line.words]
    share = min(max(median(above) / height, 0.0), 1.0) if above else _DESCENDER
    return _between(bottom_left, top_left, share), _between(bottom_right, top_right, share)


def median(values: Iterable[float]) -> float:
    """Return the value in the middle: `statistics` takes milliseconds to import."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def _distance(point: Point, begin: Point, end: Point) -> float:
    """Return how far above a line from left to right a point is."""
    (x, y), (x0, y0), (x1, y1) = point, begin, end
    length = math.dist(begin, end) or 1
    return ((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length


def _between(bottom: Point, top: Point, share: float) -> tuple[float, float]:
    return bottom[0] + share * (top[0] - bottom[0]), bottom[1] + share * (top[1] - bottom[1])
