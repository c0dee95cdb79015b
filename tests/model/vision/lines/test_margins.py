"""An image of one line without most of the empty space at its sides."""

import numpy as np

from model.vision.inference import Pixels
from model.vision.lines.margins import text_part
from tests.model.images import render_line

LINE = np.asarray(render_line("Invoice No. 2026-0042, TOTAL 12.50"))


def without_margins(image: Pixels) -> Pixels:
    """Return the part of an image that has its text."""
    return image[text_part(image)]


def padded(line: Pixels, left: int, right: int, rows: int = 0) -> Pixels:
    """Return a line with white columns at its sides, and rows above and below it."""
    return np.pad(line, ((rows, rows), (left, right), (0, 0)), constant_values=255)


def test_empty_columns_are_cut_off() -> None:
    """Half the text's height is kept, whatever there was; all ink is."""
    few, many = without_margins(padded(LINE, 40, 30)), without_margins(padded(LINE, 100, 300, 90))
    assert few.shape[1] == many.shape[1] < LINE.shape[1] + LINE.shape[0]
    for line in (few, many):
        assert (line < 128).sum() == (LINE < 128).sum()


def test_pale_letters_at_an_end_are_kept() -> None:
    """A letter of an eighth of the contrast is no empty space."""
    pale = 255 - (255 - LINE) // 8
    line = np.concatenate([LINE, padded(pale, 60, 0)], axis=1)
    assert without_margins(padded(line, 0, 90)).shape[1] > line.shape[1]


def test_other_images_are_as_they_were() -> None:
    """A line without space, one character, a dash, an empty image and a single pixel."""
    dash = np.full((40, 200, 3), 255, np.uint8)
    dash[18:22, 80:120] = 0
    character = padded(np.asarray(render_line("A")), 100, 100)
    empty, one = np.full((40, 200, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)
    for image in (LINE, dash, character, empty, one):
        assert without_margins(image).shape == image.shape
