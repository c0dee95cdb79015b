"""Put the characters of a column of vertical text side by side."""

from collections.abc import Sequence

import cv2
import numpy as np

from model.vision.inference import Mask, Pixels
from model.vision.lines.vertical_glyphs import Glyph, Kind
from model.vision.polygon import Numbers

_MARGIN = 0.08  # of the column's width, around each character
_AFTER_MARK = 0.5  # of the column's width: a mark is in the left half of its square
_MAX_GRID = 1.3  # a line's height on an even grid, in heights of a character; beyond, no grid
_BLUR = np.ones((5, 5), np.uint8)  # around a mark's ink


def lay_out(column: Pixels, background: Pixels, glyphs: Sequence[Glyph]) -> Pixels:
    """Return the characters of a column, H x W x 3, side by side on its background, h x w x 3."""
    glyphs = sorted(glyphs, key=lambda glyph: glyph.top)
    right = max(glyph.right for glyph in glyphs)
    width = right - min(glyph.left for glyph in glyphs)
    margin = max(1, round(_MARGIN * width))
    colour = background.tolist()
    firsts, height = _first_rows(glyphs, width, right)
    masks = [cv2.dilate(g.mask.astype(np.uint8), _BLUR) > 0 for g in glyphs if g.mask is not None]
    plain = _painted(column, background, np.any(masks, axis=0)) if masks else column
    pieces = []
    for glyph, first in zip(glyphs, firsts, strict=True):
        source = plain if glyph.mask is None else _painted(column, background, ~masks.pop(0))
        piece = _cut(source, colour, glyph, margin)
        above = margin + int(first)
        below = max(0, height + 2 * margin - above - len(piece))
        after = round(_AFTER_MARK * width) if glyph.kind is Kind.MARK else 0
        sides = (above, below, 0, after)
        pieces.append(cv2.copyMakeBorder(piece, *sides, cv2.BORDER_CONSTANT, value=colour))
    return np.concatenate(pieces, axis=1)


def _painted(column: Pixels, background: Pixels, mask: Mask) -> Pixels:
    """Return a column, H x W x 3, with the background where `mask`, H x W, is set."""
    return np.where(mask[..., None], background, column)


def _cut(column: Pixels, colour: Sequence[float], glyph: Glyph, margin: int) -> Pixels:
    """Return a character of a column, h x w x 3, as in a line, with a margin on the left and right.

    The margin has what is beside the character in the column: the faint edge of its strokes.
    """
    left, right = glyph.left - margin, glyph.right + margin
    piece = column[glyph.top : glyph.bottom, max(0, left) : right]
    sides = (0, 0, max(0, -left), max(0, right - column.shape[1]))
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
