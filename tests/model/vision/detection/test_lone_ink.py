"""A page with one character has one box, even if the detector finds none."""

import numpy as np
import pytest

from model.vision.detection.lone_ink import with_lone_ink
from model.vision.inference import Pixels
from model.vision.polygon import Polygon

END = np.array([[60, 48], [66, 48], [66, 54], [60, 54]], np.float32)


def page(*strokes: tuple[int, int, int, int], side: int = 100) -> Pixels:
    """Return a page with black rectangles: left, top, width and height."""
    pixels = np.full((side, side, 3), 255, np.uint8)
    for left, top, width, height in strokes:
        pixels[top : top + height, left : left + width] = 0
    return pixels


@pytest.mark.parametrize("found", [[], [END]])
def test_a_stroke_has_a_box_as_high_as_a_character(found: list[Polygon]) -> None:
    """Like 一, of which the detector finds nothing, or an end."""
    (box,) = with_lone_ink(page((34, 50, 30, 3)), found)
    (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
    assert left < 34
    assert right > 64
    assert (top + bottom) / 2 == pytest.approx(51.5)
    assert bottom - top == pytest.approx(right - left)


def test_other_characters_have_the_box_of_their_ink() -> None:
    """A small margin around it."""
    (box,) = with_lone_ink(page((40, 30, 8, 40)), [])
    assert box.min(axis=0).tolist() == [28, 18]
    assert box.max(axis=0).tolist() == [60, 82]


@pytest.mark.parametrize(
    "pixels",
    [
        page(),
        page((0, 50, 100, 3)),
        page((5, 50, 85, 3)),
        page(*((5 + 12 * number, 50, 3, 3) for number in range(7))),
        page((40, 50, 2, 2)),
        page((340, 500, 30, 3), side=1200),
    ],
    ids=["blank", "edge to edge", "a rule", "spots", "a spot", "large page"],
)
def test_other_pages_have_none(pixels: Pixels) -> None:
    """Nothing that may be one character."""
    assert with_lone_ink(pixels, []) == []


def test_found_lines_stay() -> None:
    """Unless they are an end of a stroke."""
    stroke, upright, joined, rule = (
        page((34, 50, 30, 3)),
        page((40, 30, 8, 40)),
        page(*((20 + 8 * number, 50 - (0, 4, 8, 4)[number % 4], 8, 5) for number in range(7))),
        page((20, 50, 70, 1)),
    )
    assert len(with_lone_ink(stroke, [END, END])) == 2
    for pixels in (upright, joined, rule):
        (box,) = with_lone_ink(pixels, [END])
        assert box is END
