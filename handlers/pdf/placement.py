"""Where the text of a line is on its page: its baseline, and the width of each of its words."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from model.reader import Line

Point = tuple[float, float]
SPACE = " "

# Of a line's height. A reader of PDFs takes a narrower gap between words for none.
_LEAST_SPACE = 0.2
_LEAST_WORD = 0.05  # of each of its characters
_FAR = 1e6  # px; numbers that a PDF cannot have are larger still
LEAST_RISE = 0.3  # from one end of a line to the other


class Flow(IntEnum):
    """Where a line runs to, where its page is shown."""

    RIGHT = 0
    DOWN = 1
    LEFT = 2
    UP = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A word or a space: its text, and where it begins and ends in px along the baseline."""

    text: str
    left: float
    right: float

    @property
    def unit(self) -> float:
        """The width of each of its characters."""
        return (self.right - self.left) / len(self.text)


@dataclass(frozen=True, slots=True)
class Placement:
    """A line's words and spaces, its direction, and its lower left corner in px of the page.

    `along` has the length 1 and points to the right of upright text, downwards in a column. The
    first word begins at 0, the corner.
    """

    corner: Point
    along: Point
    flow: Flow
    height: float
    parts: tuple[Part, ...]


def placement(line: Line, rotation: int, skew: float) -> Placement | None:
    """Return where a line's text is; None if it has no text or no size, or is far from any page.

    A line that is almost as skewed as the page, which is turned by `rotation` and `skew` degrees,
    clockwise, is put exactly so.
    """
    words = [(word.text, word.polygon, space) for word, space in line.spaced_words()]
    if not words and line.text:
        words = [(line.text, line.polygon, False)]
    polygons = [polygon for _, polygon, _ in words]
    along = _direction(line, polygons)
    if not words or along is None or _is_far([line.polygon, *polygons]):
        return None
    axes = _axes(rotation + skew)
    flow = max(Flow, key=[_dot(along, axis) for axis in axes].__getitem__)
    along = _straight(along, axes[flow], line.polygon)
    down = _turned(along)
    top, bottom = _extent(line.polygon, down)
    if bottom <= top:
        return None
    spans = [(text, *_extent(polygon, along), space) for text, polygon, space in words]
    start, height = spans[0][1], bottom - top
    corner = (along[0] * start + down[0] * bottom, along[1] * start + down[1] * bottom)
    return Placement(corner, along, flow, height, tuple(_parts(spans, start, height)))


def _direction(line: Line, polygons: Sequence[Sequence[Point]]) -> Point | None:
    """Return the direction of reading; None if the line's polygon has no size.

    It is the polygon's upper side. In a column of characters one below the other it is its left
    side: there the words follow each other that way, or the only word is higher than wide.
    """
    a, b, _, d = line.polygon
    across, below = (b[0] - a[0], b[1] - a[1]), (d[0] - a[0], d[1] - a[1])
    width, height = math.hypot(*across), math.hypot(*below)
    if not width or not height:
        return None
    right, down = _unit(across, width), _unit(below, height)
    if len(polygons) > 1:
        first, last = _centre(polygons[0]), _centre(polygons[-1])
        moved = (last[0] - first[0], last[1] - first[1])
        return down if _dot(moved, down) > abs(_dot(moved, right)) else right
    return down if height > width and len(line.text or "") > 1 else right


def _parts(
    spans: Sequence[tuple[str, float, float, bool]], start: float, height: float
) -> Iterator[Part]:
    """Yield the words, each given by its text, its extent and whether a space follows, and spaces.

    None overlaps the next. Two words without a space between them meet in the middle of their gap.
    """
    left = 0.0
    for (text, _, end, space), following in zip(spans, [*spans[1:], None], strict=True):
        gap, right = 0.0, end - start
        if following is not None:
            gap = max(following[1] - end, _LEAST_SPACE * height) if space else 0.0
            right = (end + following[1] - gap) / 2 - start
        right = max(right, left + _LEAST_WORD * height * len(text))
        yield Part(text, left, right)
        if gap:
            yield Part(SPACE, right, right + gap)
        left = right + gap


def _axes(degrees: float) -> tuple[Point, ...]:
    """Return the direction in which each Flow runs on a page that is turned clockwise."""
    right = (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    down = _turned(right)
    return right, down, _turned(down), _turned(_turned(down))


def _is_far(polygons: Iterable[Sequence[Point]]) -> bool:
    return any(abs(value) > _FAR for polygon in polygons for point in polygon for value in point)


def _straight(along: Point, axis: Point, polygon: Sequence[Point]) -> Point:
    """Return the page's own direction, if a line rises or falls less than a share of its height.

    A program that extracts the text may split a line, or a word, whose baseline is not straight.
    """
    start, end = _extent(polygon, axis)
    top, bottom = _extent(polygon, _turned(axis))
    rise = abs(_dot(along, _turned(axis))) * (end - start)
    return axis if rise <= LEAST_RISE * (bottom - top) else along


def _turned(direction: Point) -> Point:
    """Return a direction turned clockwise by 90 degrees, on a page whose y points downwards."""
    return -direction[1], direction[0]


def _extent(polygon: Sequence[Point], axis: Point) -> tuple[float, float]:
    """Return where a polygon begins and ends along an axis of length 1: the means of two corners.

    A polygon that is a little skewed against the axis is then not taken for a larger one.
    """
    a, b, c, d = sorted(_dot(point, axis) for point in polygon)
    return (a + b) / 2, (c + d) / 2


def _centre(polygon: Sequence[Point]) -> Point:
    return sum(x for x, _ in polygon) / 4, sum(y for _, y in polygon) / 4


def _unit(vector: Point, length: float) -> Point:
    return vector[0] / length, vector[1] / length


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1]
