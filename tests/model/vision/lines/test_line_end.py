"""The last mark of a line is read, though a detector's box often ends inside it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from model.vision.lines.directions import Direction
from model.vision.lines.line_end import with_whole_end
from model.vision.page import PageReader

BOX = np.array([[100, 100], [300, 100], [300, 140], [100, 140]], np.float32)
HIGH = np.array([[100, 100], [140, 100], [140, 300], [100, 300]], np.float32)
PAGE = np.zeros((400, 400, 3), np.uint8)
TEXT = "合同自双方签字之日起生效。"


@pytest.mark.parametrize(
    ("direction", "box", "low", "high"),
    [
        (Direction.UPRIGHT, BOX, (100, 100), (306, 140)),
        (Direction.UPSIDE_DOWN, BOX, (94, 100), (300, 140)),
        (Direction.DOWN, HIGH, (100, 100), (140, 306)),
        (Direction.UP, HIGH, (100, 94), (140, 300)),
    ],
)
def test_the_end_in_reading_direction_is_extended(
    direction: Direction, box: np.ndarray, low: tuple[int, int], high: tuple[int, int]
) -> None:
    """By a share of the line's height; its beginning and its sides stay."""
    found = with_whole_end(box, direction, PAGE)
    assert found.min(axis=0) == pytest.approx(low)
    assert found.max(axis=0) == pytest.approx(high)


def test_other_boxes_stay() -> None:
    """One that is higher than long, and one that the page's edge cuts."""
    assert with_whole_end(HIGH, Direction.UPRIGHT, PAGE) is HIGH
    cut = BOX + np.array([99, 0], np.float32)
    assert with_whole_end(cut, Direction.UPRIGHT, PAGE) is cut


@pytest.mark.parametrize("extended", [True, False])
def test_the_full_stop_of_a_single_line_is_read(
    reader: PageReader, monkeypatch: pytest.MonkeyPatch, *, extended: bool
) -> None:
    """In a low image, where boxes are tight. Control: without the extension it is lost."""
    try:
        font = ImageFont.truetype("wqy-zenhei.ttc", 26)
    except OSError:
        pytest.skip("fonts are missing: apt-get install fonts-wqy-zenhei")
    image = Image.new("RGB", (700, 200), "white")
    ImageDraw.Draw(image).text((60, 85), TEXT, "black", font)
    if not extended:
        monkeypatch.setattr(
            "model.vision.lines.straighten.with_whole_end", lambda polygon, *_: polygon
        )
    reading = reader.read(np.asarray(image), detect=True, check=lambda: None)
    assert [line.text for line in reading.lines] == [TEXT if extended else TEXT[:-1]]
