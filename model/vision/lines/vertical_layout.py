"""Put the characters of a column of vertical text side by side."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import cv2
import numpy as np

from model.vision.inference import Mask, Pixels
from model.vision.lines.vertical_glyphs import Glyph, Kind
from model.vision.polygon import Numbers

_MARGIN = 0.08  # of the column's width, around each character
_AFTER_MARK = 0.5  # of the column's width: a mark is in the left half of its square
_MAX_GRID = 1.3  # a line's height on an even grid, in heights of a character; beyond, no grid
_BLUR_PX = 2  # around a mark's ink


class Horizontal(NamedTuple):
    """The characters of a column side by side, h x w x 3, each with the column after its last.

    `height` and `width` are those of the column.
    """

    pixels: Pixels
    glyphs: list[Glyph]
    ends: list[int]
    height: int
    width: int


def lay_out(column: Pixels, background: Pixels, glyphs: Sequence[Glyph]) -> Horizontal:
    """Return the characters of a column, H x W x 3, side by side on its background."""
    glyphs = sorted(glyphs, key=lambda glyph: glyph.top)
    right = max(glyph.right for glyph in glyphs)
    width = right - min(glyph.left for glyph in glyphs)
    margin = max(1, round(_MARGIN * width))
    colour = background.tolist()
    firsts, height = _first_rows(glyphs, width, right)
    plain = _without_marks(column, background, glyphs)
    pieces = []
    for glyph, first in zip(glyphs, firsts, strict=True):
        rows = plain[glyph.top : glyph.bottom]
        if glyph.mask is not None:
            rows = _mark_alone(column, background, glyph)
        piece = _cut(rows, colour, glyph, margin)
        above = margin + int(first)
        below = max(0, height + 2 * margin - above - len(piece))
        after = round(_AFTER_MARK * width) if glyph.kind is Kind.MARK else 0
        sides = (above, below, 0, after)
        pieces.append(cv2.copyMakeBorder(piece, *sides, cv2.BORDER_CONSTANT, value=colour))
    ends = list(accumulate(piece.shape[1] for piece in pieces))
    return Horizontal(np.concatenate(pieces, axis=1), glyphs, ends, *column.shape[:2])


def _without_marks(column: Pixels, background: Pixels, glyphs: Sequence[Glyph]) -> Pixels:
    """Return a column, H x W x 3, with the background instead of marks beside other characters."""
    inks = [_blurred_ink(glyph, column) for glyph in glyphs if glyph.mask is not None]
    if not inks:
        return column
    plain = column.copy()
    for rows, columns, ink in inks:
        plain[rows, columns][ink] = background
    return plain


def _mark_alone(column: Pixels, background: Pixels, glyph: Glyph) -> Pixels:
    """Return the rows of a mark in a column, h x W x 3, with the background around its ink."""
    rows, columns, ink = _blurred_ink(glyph, column)
    alone = np.full((rows.stop - rows.start, *column.shape[1:]), background)
    alone[:, columns][ink] = column[rows, columns][ink]
    return alone[glyph.top - rows.start : glyph.bottom - rows.start]


def _blurred_ink(glyph: Glyph, column: Pixels) -> tuple[slice, slice, Mask]:
    """Return the rows and columns of a mark with its faint edge, and which pixels are its ink."""
    rows = slice(max(0, glyph.top - _BLUR_PX), min(column.shape[0], glyph.bottom + _BLUR_PX))
    columns = slice(max(0, glyph.left - _BLUR_PX), min(column.shape[1], glyph.right + _BLUR_PX))
    ink = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    top, left = glyph.top - rows.start, glyph.left - columns.start
    ink[top : top + glyph.bottom - glyph.top, left : left + glyph.right - glyph.left] = glyph.mask
    size = 2 * _BLUR_PX + 1
    return rows, columns, cv2.dilate(ink, np.ones((size, size), np.uint8)) > 0


def _cut(rows: Pixels, colour: Sequence[float], glyph: Glyph, margin: int) -> Pixels:
    """Return a character, h x w x 3, of its rows in a column, with a margin on the left and right.

    The margin has what is beside the character in the column: the faint edge of its strokes.
    """
    left, right = glyph.left - margin, glyph.right + margin
    piece = rows[:, max(0, left) : right]
    sides = (0, 0, max(0, -left), max(0, right - rows.shape[1]))
    piece = cv2.copyMakeBorder(piece, *sides, cv2.BORDER_CONSTANT, value=colour)  # type: ignore[assignment]
    if glyph.kind is not Kind.BRACKET:
        return piece
    inside = piece[:, margin : piece.shape[1] - margin]
    turned = cv2.rotate(inside, cv2.ROTATE_90_COUNTERCLOCKWISE)
    sides = (0, 0, margin, margin)
    return cv2.copyMakeBorder(turned, *sides, cv2.BORDER_CONSTANT, value=colour)  # type: ignore[return-value]


def _first_rows(glyphs: Sequence[Glyph], width: int, right: int) -> tuple[Numbers, int]:
    """Return the row of the line in which each character starts, and the line's height.

    Characters keep their position relative to an even grid, so that a letter stays on its baseline.
    Without such a grid their middles are aligned. Marks are on the bottom of the others, and a
    bracket is as far from the top as it was from the right side of the column.
    """
    spans = np.array([(glyph.top, glyph.bottom) for glyph in glyphs], float)
    plain = np.array([glyph.kind is Kind.PLAIN for glyph in glyphs])
    plain |= plain.sum() < 2  # noqa: PLR2004 - two for a slope
    placed = np.zeros_like(spans)
    placed[plain] = _on_grid(spans[plain], width)
    low = placed[plain].min()
    bottom = np.median(placed[plain, 1])
    for index, glyph in enumerate(glyphs):
        if plain[index]:
            continue
        tall = glyph.bottom - glyph.top if glyph.kind is Kind.MARK else glyph.right - glyph.left
        first = bottom - tall if glyph.kind is Kind.MARK else low + right - glyph.right
        placed[index] = first, first + tall
    low, high = placed.min(), placed.max()
    spare = max(0.0, width - (high - low)) / 2  # so that a line of dashes is not enlarged
    return placed[:, 0] - low + spare, int(np.ceil(high - low + 2 * spare)) + 1


def _on_grid(spans: Numbers, width: int) -> Numbers:
    """Return the first row and the end of characters, N x 2, relative to their places on a grid."""
    middles, highest = spans.mean(axis=1), np.ptp(spans, axis=1).max()
    gaps = np.diff(middles)
    steps = np.append(0, np.maximum(1, np.rint(gaps / max(1.0, np.median(gaps)))).cumsum())
    slope, start = np.polyfit(steps, middles, 1)
    placed: Numbers = spans - (start + slope * steps)[:, None]
    if np.ptp(placed) > _MAX_GRID * max(highest, width):
        placed = spans - middles[:, None]
    return placed
