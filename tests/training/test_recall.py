"""The share of lines that a detector finds, by the height of their letters."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model.training.recall import detect_at, found, sheets
from model.training.sheets import SheetSource
from model.vision.detection.detect import Detector
from model.weights import pick

LINES = np.array([[10, 10, 110, 30], [10, 50, 110, 70]], np.float32)


def box(left: float, top: float, right: float, bottom: float) -> "np.typing.NDArray[np.float32]":
    """Return a box's corners."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


@pytest.mark.parametrize(
    ("polygons", "count"),
    [
        ([], 0),
        ([box(5, 5, 115, 35)], 1),
        ([box(5, 5, 115, 35), box(10, 50, 110, 70)], 2),
        ([box(0, 0, 120, 80)], 0),  # both in one
        ([box(5, 5, 115, 35), box(0, 0, 120, 80)], 1),  # both in one, and the first by itself
        ([box(10, 10, 55, 30), box(65, 10, 110, 30)], 0),  # one in halves
    ],
)
def test_a_line_is_found_where_it_has_a_box(
    polygons: "list[np.typing.NDArray[np.float32]]", count: int
) -> None:
    """Neither two lines in one box nor a line in two count."""
    assert found(LINES, polygons) == count


def test_small_letters_are_found_less_often(listing: Path, charset: Sequence[str]) -> None:
    """As measured: of letters 16 px high nearly all, of 4 px few."""
    detector = Detector(pick("ppocrv3-det", "detector"), threads=1)
    drawn = list(sheets(SheetSource(listing, set(charset), seed=1, held_out=False), 3))
    lines = sum(len(sheet.boxes) for _, sheet in drawn)

    def share(height_px: int) -> float:
        passes = [(s.boxes, detect_at(detector, s.pixels, height_px / px)) for px, s in drawn]
        return sum(found(boxes, polygons) for boxes, polygons in passes) / lines

    assert share(16) > 0.85
    assert share(4) < 0.5
