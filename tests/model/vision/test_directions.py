"""The directions of a page's lines, from their boxes."""

import numpy as np

from model.vision.directions import sideways_lines
from model.vision.polygon import Polygon


def box(left: int, top: int, right: int, bottom: int) -> Polygon:
    """Return an upright box."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def test_long_boxes_show_the_direction_of_short_ones() -> None:
    """A high "1" is upright on an upright page and sideways on a page of sideways lines."""
    one, level, down = box(0, 0, 10, 20), box(0, 0, 200, 20), box(0, 0, 20, 200)
    assert sideways_lines([one, level]) == set()
    assert sideways_lines([one, down]) == {0, 1}
    assert sideways_lines([one, level, level, down]) == {3}
    assert sideways_lines([]) == set()
