"""A page's size in a PDF, and how its pixels are put on it: upright and straight."""

import math
from dataclasses import dataclass

from model.reader import Page

_POINTS_PER_INCH = 72
_LEAST_POINTS, _MOST_POINTS = 3.0, 14_400.0  # ISO 32000-1, annex C: the sides of a page
_LEAST_SKEW = 0.2  # degrees; below, programs that extract the text find the lines all the same


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
    skew = page.skew if abs(page.skew) >= _LEAST_SKEW else 0.0
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
