"""Lines cut out of a page."""

import numpy as np

from model.vision.crop import cut_line, sideways_lines, upside_down
from model.vision.polygon import Polygon

RNG = np.random.default_rng(1)


def corners(left: int, top: int, right: int, bottom: int) -> Polygon:
    """Return an upright box."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def test_an_upright_box_is_cut_as_it_is() -> None:
    """The crop of an axis-aligned box is the page's own pixels."""
    page = RNG.integers(0, 256, (80, 120, 3), np.uint8)
    assert (cut_line(page, corners(10, 20, 90, 50), sideways=False) == page[20:50, 10:90]).all()


def test_a_high_box_is_laid_down() -> None:
    """Text running down comes out running left to right."""
    page = np.zeros((200, 60, 3), np.uint8)
    page[:100, :] = 255
    line = cut_line(page, corners(10, 10, 40, 190), sideways=True)
    assert line.shape == (30, 180, 3)
    assert line[:, :80].mean() > 250
    assert line[:, 100:].mean() < 5


def test_a_box_of_no_size_gives_a_pixel() -> None:
    """A degenerate box is no error."""
    page = RNG.integers(0, 256, (80, 120, 3), np.uint8)
    assert cut_line(page, corners(10, 10, 10, 10), sideways=False).shape == (1, 1, 3)


def test_upside_down_twice_is_the_line() -> None:
    """Half a circle and half a circle is none."""
    line = RNG.integers(0, 256, (30, 90, 3), np.uint8)
    assert (upside_down(upside_down(line)) == line).all()
    assert (upside_down(line) != line).any()


def test_long_boxes_tell_and_short_ones_follow() -> None:
    """A high "1" on a level page stands upright; on a page lying on its side it goes with it."""
    one, level, down = corners(0, 0, 10, 20), corners(0, 0, 200, 20), corners(0, 0, 20, 200)
    assert sideways_lines([one, level]) == set()
    assert sideways_lines([one, down]) == {0, 1}
    assert sideways_lines([one, level, level, down]) == {3}
    assert sideways_lines([]) == set()
