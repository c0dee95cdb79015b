"""Reading order of boxes, row by row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.vision.layout.layout import one_block
from model.vision.polygon import Polygon

GRID = [(row, column) for row in range(5) for column in range(3)]


def box(x: float, y: float, width: float = 120, height: float = 20) -> Polygon:
    """Return an upright box."""
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    return np.array(corners, np.float32)


def row_order(polygons: list[Polygon], quarter_turns: int = 0) -> list[int]:
    """Return the order of the lines of `?order=rows`."""
    return [index for block in one_block(polygons, quarter_turns) for index in block.lines]


def rotated(polygon: Polygon, degrees: float) -> Polygon:
    """Return the box rotated clockwise about the page's origin."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(polygon @ turn, np.float32)


# Without subnormal numbers: ONNX Runtime, loaded by another test, makes them zero.
@given(st.permutations(range(len(GRID))), st.floats(-6, 6, allow_subnormal=False))
def test_rows_come_top_to_bottom_and_left_to_right(found: list[int], tilt: float) -> None:
    """A table is read row by row, in whatever order its boxes come and however it is tilted."""
    polygons = [rotated(box(250 * GRID[i][1], 30 * GRID[i][0]), tilt) for i in found]
    assert [found[i] for i in row_order(polygons)] == list(range(len(GRID)))


def test_the_tilt_matters() -> None:
    """Control: sorted by height only, the rows of the tilted table are mixed."""
    polygons = [rotated(box(250 * column, 30 * row), 6) for row, column in GRID]
    by_height = sorted(range(len(GRID)), key=lambda i: float(polygons[i][0, 1]))
    assert by_height != row_order(polygons) == list(range(len(GRID)))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_rotated_page_has_the_order_of_an_upright_one(quarters: int) -> None:
    """On its side or upside down, if the quarter turns are known."""
    polygons = [rotated(box(250 * column, 30 * row), 90 * quarters) for row, column in GRID]
    # The first corner is the one that is now at the top left, as in the detector.
    renamed = [np.roll(polygon, quarters, axis=0) for polygon in polygons]
    assert row_order(renamed, quarters) == list(range(len(GRID)))


def test_a_small_box_beside_a_large_one_is_in_its_row() -> None:
    """A price in small print follows the large name beside it."""
    assert row_order([box(300, 12, 40, 10), box(0, 0, 200, 30), box(0, 40)]) == [1, 0, 2]


def test_no_boxes() -> None:
    """A blank page has none."""
    assert row_order([]) == []
