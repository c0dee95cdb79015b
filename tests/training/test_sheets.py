"""Rendered pages with known lines."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model.training.sheets import SheetSource


@pytest.fixture(scope="module")
def sheets(listing: Path, charset: Sequence[str]) -> SheetSource:
    """Sheets with the faces of the tests."""
    return SheetSource(listing, set(charset), seed=1, held_out=False)


def test_the_same_number_gives_the_same_sheet(sheets: SheetSource) -> None:
    """Another number gives another one."""
    one, same, other = (sheets.render(number, 24, (500, 400)) for number in (1, 1, 2))
    assert np.array_equal(one.pixels, same.pixels)
    assert np.array_equal(one.boxes, same.boxes)
    assert not np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("number", range(4))
def test_boxes_hold_the_ink(
    sheets: SheetSource, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a sheet without degradations, everything outside the boxes is background."""
    monkeypatch.setattr("model.training.sheets._DEGRADATIONS", ())
    sheet = sheets.render(number, 24, (500, 800))
    grey = sheet.pixels.mean(axis=2)
    outside = np.ones(grey.shape, bool)
    for left, top, right, bottom in np.stack(
        [*np.floor(sheet.boxes[:, :2].T), *np.ceil(sheet.boxes[:, 2:].T)], axis=1
    ).astype(int):
        assert np.ptp(grey[top:bottom, left:right]) > 50
        outside[top:bottom, left:right] = False
    assert len(sheet.boxes) > 2
    assert np.ptp(grey[outside]) == 0
