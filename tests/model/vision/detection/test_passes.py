"""The boxes of two passes over a page become one list."""

import numpy as np

from model.vision.detection.passes import merge_closer, merge_farther
from model.vision.polygon import Polygon


def box(left: int, top: int, width: int, height: int) -> Polygon:
    """Return an upright box."""
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def same(found: list[Polygon], expected: list[Polygon]) -> bool:
    """Return whether these are the same boxes, in the same order."""
    return [each.tolist() for each in found] == [each.tolist() for each in expected]


LINE, OTHER = box(100, 100, 400, 40), box(100, 200, 400, 40)


def test_a_closer_pass_replaces_what_it_finds_again() -> None:
    """Two lines that were one box are two boxes."""
    assert same(merge_closer([box(90, 90, 420, 160)], [LINE, OTHER]), [LINE, OTHER])


def test_a_closer_pass_loses_nothing() -> None:
    """A line that it does not find stays."""
    assert same(merge_closer([LINE, OTHER], [LINE]), [LINE, OTHER])


def test_a_farther_pass_loses_nothing() -> None:
    """A column stays whole, whose characters are found one by one; small print stays beside it."""
    column, small = box(100, 100, 60, 300), box(300, 100, 200, 12)
    characters = [box(95, 95 + 80 * number, 70, 70) for number in range(4)]
    assert same(merge_farther([column, small], characters), [column, small])


def test_a_farther_pass_replaces_the_parts_of_large_letters() -> None:
    """The strokes of a letter, and some letters of a line, become whole lines."""
    whole = box(80, 80, 440, 120)
    assert same(merge_farther([box(100, 100, 50, 90), box(160, 100, 90, 50)], [whole]), [whole])
    assert same(merge_farther([box(100, 100, 200, 90)], [whole]), [whole])
    character = box(80, 80, 140, 140)
    assert same(merge_farther([box(100, 100, 90, 50)], [character]), [character])


def test_a_line_with_larger_margins_does_not_replace_it() -> None:
    """Control: the box of a farther pass is larger on all sides, and has the same letters."""
    assert same(merge_farther([LINE], [box(80, 80, 440, 80)]), [LINE])


def test_small_print_inside_a_headline_s_box_stays() -> None:
    """Large and small letters on one poster are two lines."""
    headline, small = box(200, 100, 900, 400), box(500, 510, 300, 30)
    assert same(merge_farther([headline, small], [box(150, 50, 1000, 500)]), [headline, small])


def test_a_farther_pass_adds_what_was_not_found() -> None:
    """Wherever nothing else is."""
    assert same(merge_farther([LINE], [OTHER]), [LINE, OTHER])


def test_nothing_found_is_nothing_lost() -> None:
    """Either pass may be empty."""
    for merge in (merge_closer, merge_farther):
        assert same(merge([LINE], []), [LINE])
        assert same(merge([], [LINE]), [LINE])
