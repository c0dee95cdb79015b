"""The directions of a page's lines, from their boxes."""

import numpy as np
import pytest

from model.vision.lines.directions import (
    Direction,
    from_text_corner,
    possible_directions,
    sideways_lines,
    skew,
)
from model.vision.polygon import Polygon

UPRIGHT, DOWN, UPSIDE_DOWN, UP, COLUMN = Direction


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


def test_short_boxes_show_the_direction_of_a_page_together() -> None:
    """If most of them are high or wide; a page of words that are on their side has no long box."""
    high, wide = box(0, 0, 30, 70), box(0, 0, 70, 30)
    assert sideways_lines([high, high, wide]) == {0, 1, 2}
    assert sideways_lines([high, wide, wide]) == set()
    assert sideways_lines([box(0, 0, 16, 26), box(0, 60, 24, 96)]) == set()  # a dash, a digit


def test_short_boxes_of_a_sideways_page_may_be_single_characters_or_headings() -> None:
    """A wide one is no column; on a level page, a high one may be."""
    one, heading = box(0, 0, 30, 30), box(0, 0, 60, 30)
    assert possible_directions(one, sideways=True) == [COLUMN, DOWN, UP]
    assert possible_directions(heading, sideways=True) == [UPRIGHT, DOWN, UP]
    assert possible_directions(box(0, 0, 30, 60), sideways=False) == [UPRIGHT, UPSIDE_DOWN, COLUMN]
    assert possible_directions(one, sideways=True, first=UP) == [UP, COLUMN, DOWN]
    assert possible_directions(one, sideways=False, first=UPSIDE_DOWN) == [UPSIDE_DOWN, UPRIGHT]


@pytest.mark.parametrize("degrees", [-3.0, 0.0, 4.0])
@pytest.mark.parametrize("direction", Direction)
def test_the_skew_is_how_much_the_lines_lean_clockwise(
    direction: Direction, degrees: float
) -> None:
    """Of the longer ones; the corners are those of the page, not of the text."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    level = direction in {UPRIGHT, UPSIDE_DOWN}
    long = box(50, 80, 350, 110) if level else box(50, 80, 80, 380)
    leaning = [(each @ turn).astype(np.float32) for each in (long, long, long)]
    assert skew([*leaning, box(0, 0, 30, 30)], direction) == pytest.approx(degrees, abs=0.01)
    assert skew([], direction) == 0.0


def test_the_first_corner_is_where_the_text_starts() -> None:
    """For a column it is the top left one of the box, too."""
    corners = box(0, 0, 30, 90)
    firsts = [from_text_corner(corners, direction)[0].tolist() for direction in Direction]
    assert firsts == [[0, 0], [30, 0], [30, 90], [0, 90], [0, 0]]
