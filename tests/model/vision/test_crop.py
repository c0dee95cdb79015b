"""Lines cropped from a page."""

import numpy as np

from model.vision.crop import crop_line, text_rows
from model.vision.polygon import Polygon
from tests.model.images import render_line

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


def test_empty_rows_of_a_loose_box_are_cut_off() -> None:
    """The text keeps a margin of a quarter of its height."""
    line = np.asarray(render_line("Invoice No. 2026-0042, TOTAL 12.50"))
    height = line.shape[0]
    loose = np.pad(line, ((60, 60), (0, 0), (0, 0)), constant_values=255)
    trimmed = loose[text_rows(loose)]
    assert trimmed.shape[0] < height + 8
    assert trimmed.shape[1:] == line.shape[1:]
    assert (trimmed < 128).sum() == (line < 128).sum()


def test_other_boxes_keep_their_rows() -> None:
    """So do low ones, short ones, those of two lines, of a dash, and without text."""
    line = np.asarray(render_line("Invoice No. 2026-0042, TOTAL 12.50"))
    twice = np.concatenate([line, np.full((40, *line.shape[1:]), 255, np.uint8), line])
    low = np.pad(np.asarray(render_line("TOTAL", 7)), ((2, 2), (0, 0), (0, 0)), constant_values=255)
    dash = np.full((60, 200, 3), 255, np.uint8)
    dash[28:32, 20:180:8] = 0
    short = np.pad(line[:, :60], ((60, 60), (0, 0), (0, 0)), constant_values=255)
    empty = np.full((90, 200, 3), 240, np.uint8)
    for box in (line, twice, low[:23], dash, short, empty):
        assert box[text_rows(box)].shape == box.shape


def test_a_box_of_any_size_can_be_trimmed() -> None:
    """It raises nothing."""
    for height, width in ((1, 1), (100, 1), (1, 100), (24, 2)):
        box = RNG.integers(0, 256, (height, width, 3), np.uint8)
        assert box[text_rows(box)].size
