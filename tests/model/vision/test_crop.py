"""Lines cropped from a page."""

import numpy as np

from model.vision.crop import crop_line, sideways_lines
from model.vision.polygon import Polygon

RNG = np.random.default_rng(1)


def corners(left: int, top: int, right: int, bottom: int) -> Polygon:
    """Return an upright box."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def test_an_upright_box_is_cropped_unchanged() -> None:
    """The crop has the same pixels as the page."""
    page = RNG.integers(0, 256, (80, 120, 3), np.uint8)
    assert (crop_line(page, corners(10, 20, 90, 50), sideways=False) == page[20:50, 10:90]).all()


def test_a_sideways_line_is_rotated() -> None:
    """Text that runs down the page then runs from left to right."""
    page = np.zeros((200, 60, 3), np.uint8)
    page[:100, :] = 255
    line = crop_line(page, corners(10, 10, 40, 190), sideways=True)
    assert line.shape == (30, 180, 3)
    assert line[:, :80].mean() > 250
    assert line[:, 100:].mean() < 5


def test_a_box_without_size_gives_a_pixel() -> None:
    """It raises nothing."""
    page = RNG.integers(0, 256, (80, 120, 3), np.uint8)
    assert crop_line(page, corners(10, 10, 10, 10), sideways=False).shape == (1, 1, 3)


def test_long_boxes_show_the_direction_of_short_ones() -> None:
    """A high "1" is upright on an upright page and sideways on a page of sideways lines."""
    one, level, down = corners(0, 0, 10, 20), corners(0, 0, 200, 20), corners(0, 0, 20, 200)
    assert sideways_lines([one, level]) == set()
    assert sideways_lines([one, down]) == {0, 1}
    assert sideways_lines([one, level, level, down]) == {3}
    assert sideways_lines([]) == set()
