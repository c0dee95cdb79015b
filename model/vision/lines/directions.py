"""The directions in which lines run on a page, and what their boxes show of them."""

from collections.abc import Sequence
from enum import Enum

import numpy as np

from model.vision.polygon import Polygon, width_and_height

_CLEAR_ASPECT = 3.0  # a box with a longer side of at least this ratio shows its direction
# Beyond it a box is no single character: together they show the page's direction.
_LONG_ASPECT = 2.0
_HIGH = 1.5  # a box of less than this ratio may be one character


class Direction(Enum):
    """How a line runs. The number: quarter turns, counter-clockwise, that make it upright."""

    UPRIGHT = 0
    DOWN = 1  # letters are rotated to the right
    UPSIDE_DOWN = 2
    UP = 3  # letters are rotated to the left
    COLUMN = 4  # upright characters below each other

    @property
    def quarter_turns(self) -> int:
        """How often the page must be rotated, counter-clockwise, so that its lines are in order.

        Columns go from right to left, like the lines of a page that is rotated to the right.
        """
        return 1 if self is Direction.COLUMN else self.value

    @property
    def degrees(self) -> int:
        """By how much its letters are turned clockwise."""
        return 0 if self is Direction.COLUMN else 90 * self.value


_LEVEL = (Direction.UPRIGHT, Direction.UPSIDE_DOWN)
_SIDEWAYS = (Direction.COLUMN, Direction.DOWN, Direction.UP)


def sideways_lines(polygons: Sequence[Polygon]) -> set[int]:
    """Return the indices of the boxes whose text runs up or down the page.

    Long boxes show their direction. Short ones do not (a "1" is high and yet upright): they have
    the direction of most of the page.
    """
    sizes = [width_and_height(polygon) for polygon in polygons]
    high = {i for i, (width, height) in enumerate(sizes) if height >= _CLEAR_ASPECT * width}
    wide = {i for i, (width, height) in enumerate(sizes) if width >= _CLEAR_ASPECT * height}
    down = sum(height for width, height in sizes if height >= _LONG_ASPECT * width)
    across = sum(width for width, height in sizes if width >= _LONG_ASPECT * height)
    return set(range(len(sizes))) - wide if down > across else high


def possible_directions(
    polygon: Polygon, *, sideways: bool, first: Direction | None = None
) -> list[Direction]:
    """Return the directions that a line may have, the most likely one first.

    `first` is the direction of most lines of its kind.
    """
    width, height = width_and_height(polygon)
    directions = list(_SIDEWAYS if sideways else _LEVEL)
    if not sideways and is_high(polygon):
        directions.append(Direction.COLUMN)
    directions.sort(key=lambda direction: direction is not first)
    if sideways and width >= _HIGH * height:  # a short heading between columns
        directions[directions.index(Direction.COLUMN)] = Direction.UPRIGHT
    return directions


def is_high(polygon: Polygon) -> bool:
    """Return whether a box may be a column of several characters."""
    width, height = width_and_height(polygon)
    return height >= _HIGH * width


def from_text_corner(polygon: Polygon, direction: Direction) -> Polygon:
    """Return a box with the top left corner of its text first, still clockwise."""
    return np.roll(polygon, -direction.degrees // 90, axis=0)


def skew(polygons: Sequence[Polygon], direction: Direction) -> float:
    """Return by how many degrees lines of a direction lean clockwise, or 0.0 if there are none.

    It is the median of the longer half of them.
    """
    if not polygons:
        return 0.0
    boxes = np.stack(polygons).astype(np.float64)
    across, down = boxes[:, [1, 2]] - boxes[:, [0, 3]], boxes[:, [3, 2]] - boxes[:, [0, 1]]
    sides = across if direction in _LEVEL else down[..., ::-1] * (1, -1)
    x, y = sides.sum(axis=1).T
    lengths, angles = np.hypot(x, y), np.degrees(np.arctan2(y, x))
    return float(np.median(angles[lengths >= np.median(lengths)]))
