"""A tiled watermark is lifted off the lines; other pale and tilted text stays."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from model.vision.inference import Pixels
from model.vision.overprint import lines_below
from model.vision.overprint.lifted import Lifted
from model.vision.overprint.lines_below import find_lines_below
from model.vision.overprint.watermark import join_pale_lines, lift_watermark
from model.vision.page import PageReader
from model.vision.polygon import Polygon
from tests.model.images import render_page
from tests.model.vision.overprint.watermarks import ROWS, TILES, tilted

PALE, DARK = 170, 20


@pytest.mark.parametrize("lifted", [True, False])
def test_lines_under_a_watermark_are_read_alone(
    reader: PageReader, monkeypatch: pytest.MonkeyPatch, *, lifted: bool
) -> None:
    """All lines, and no piece of the watermark between them.

    Control: with the watermark on the page there are.
    """
    if not lifted:
        monkeypatch.setattr(lines_below, "lift_watermark", lambda page, _: page)
    page = np.asarray(tilted(PALE, TILES))
    lines = reader.read(page, detect=True, check=lambda: None).lines
    assert ([line.text for line in lines] == [text for row in ROWS for text in row]) is lifted


@pytest.mark.parametrize(
    "draw",
    [
        lambda: tilted(DARK, TILES),
        lambda: tilted(PALE, TILES[2:3]),
        lambda: render_page(ROWS),
        lambda: tilted(PALE, TILES).crop((0, 0, 200, 40)),
    ],
    ids=["dark", "one pale word", "lines alone", "too little"],
)
def test_without_a_watermark_a_page_is_searched_once(
    reader: PageReader, draw: Callable[[], Image.Image]
) -> None:
    """It is the same array, and the boxes are the ones that were found on it."""
    pixels = np.asarray(draw())
    searched: list[Pixels] = []

    def find_lines(part: Pixels) -> list[Polygon]:
        searched.append(part)
        return reader.detector.find_lines(part)

    lifted, _ = find_lines_below(pixels, find_lines)
    assert lifted.pixels is pixels
    assert searched == [pixels]


def box(x: float, y: float, width: float, height: float = 30) -> Polygon:
    """Return a level box."""
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def test_a_pale_caption_stays() -> None:
    """It is level and wide, unlike a piece of a watermark; what was found again is found once."""
    found, caption, piece = [box(40, 30, 400)], box(40, 100, 300), box(40, 200, 60)
    again = box(42, 31, 396)
    assert join_pale_lines(found, [again, caption, piece]) == [*found, caption]
    assert join_pale_lines([], [caption]) == [caption]


def test_pages_without_boxes_are_the_same() -> None:
    """There is nothing to compare."""
    lifted = Lifted(np.zeros((10, 10, 3), np.uint8), [])
    assert lift_watermark(lifted, []) is lifted
    assert lift_watermark(lifted, [box(0, 0, 9, 3)] * 5) is lifted
