"""A page's size in a PDF, and how its pixels are put on it: upright and straight."""

import math
from dataclasses import dataclass

from handlers.pdf.placement import LEAST_RISE
from model.reader import Line, Page

_POINTS_PER_INCH = 72
_LEAST_POINTS, _MOST_POINTS = 3.0, 14_400.0  # ISO 32000-1, annex C: the sides of a page
_SKEWED = 1.0  # degrees; below, it may be an error of the boxes, and matters in long lines only


@dataclass(frozen=True, slots=True)
class Frame:
    """The sides of a page in points, how it is turned when shown, and the matrix of its pixels.

    `rotate`: clockwise, a multiple of 90 degrees. `skew`: the clockwise degrees of the lines that
    are straight on the page, beside multiples of 90. The matrix is a PDF's: six numbers that turn
    pixels, from the lower left corner, into points.
    """

    width: float
    height: float
    rotate: int
    skew: float
    matrix: tuple[float, ...]


def frame(page: Page) -> Frame:
    """Return a page's frame. The corners of a page that is made straight stay on it."""
    skew = page.skew if _is_skewed(page) else 0.0
    cos, sin = math.cos(math.radians(skew)), math.sin(math.radians(skew))
    width = page.width * cos + page.height * abs(sin)
    height = page.height * cos + page.width * abs(sin)
    scale = min(_POINTS_PER_INCH / page.dpi, _MOST_POINTS / max(width, height))
    scale = max(scale, _LEAST_POINTS / min(width, height))
    turned = (cos, sin, -sin, cos, max(0.0, page.height * sin), max(0.0, -page.width * sin))
    return Frame(
        width=width * scale,
        height=height * scale,
        rotate=-page.rotation % 360,
        skew=skew,
        matrix=tuple(scale * value for value in turned),
    )


def _is_skewed(page: Page) -> bool:
    """Tell whether lines have to be made straight, so that programs find what is one line."""
    rise = abs(math.sin(math.radians(page.skew)))
    return abs(page.skew) >= _SKEWED or any(
        rise * _heights_long(line) > LEAST_RISE for line in page.lines
    )


def _heights_long(line: Line) -> float:
    """Return how often the shorter side of a line's box fits into the longer one."""
    a, b, _, d = line.polygon
    sides = sorted((math.dist(a, b), math.dist(a, d)))
    return sides[1] / max(1.0, sides[0])
