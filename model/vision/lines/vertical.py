"""Vertical text: lay out a column of upright characters as one horizontal line.

The networks read from left to right.
"""

from itertools import pairwise

import cv2
import numpy as np

from model.vision.inference import Mask, Pixels
from model.vision.lines.vertical_glyphs import clear_beyond, find_glyphs, find_marks
from model.vision.lines.vertical_layout import Horizontal, lay_out
from model.vision.polygon import Numbers

Cell = tuple[int, int]  # a character's first row, and the row after its last

_MAX_CELLS = 100  # longer columns are skipped, which bounds the time and the line's length
_UNIT = 24  # rows as high as the column is wide, in the profile that is cut
# Distances between the middles of two characters, in rows; each is tried.
_PITCHES = _UNIT * np.geomspace(0.8, 3.2, 12)
_TALLEST = round(1.3 * _PITCHES[-1])  # a cell's height, in rows
# Costs of a segmentation; a cell half a pitch too high or too low costs 0.25.
_CELL = 0.02  # each cell, so that fewer cells are preferred
_GAP = 0.3 / _UNIT  # a row between cells, so that strokes and characters are told apart
_TALL = 1.5  # (height beyond the column's width, in widths) squared: cells are about square
_CUT_INK = 8.0  # a cut through ink as wide as the column
_MIN_CONTRAST = 24  # of 255; less is background


def to_horizontal(column: Pixels, beyond: int = 0) -> Horizontal | None:
    """Return the characters of a column, H x W x 3, side by side; None if it is none.

    Of the first and last `beyond` rows only a punctuation mark belongs to it.
    """
    background = _background(column[beyond : len(column) - beyond])
    ink = _ink(column, background)
    if beyond:
        clear_beyond(ink, slice(0, beyond))
        clear_beyond(ink, slice(len(ink) - beyond, len(ink)))
    if _is_too_long(ink):
        return None
    marks = find_marks(ink)
    for mark in marks:
        ink[mark.top : mark.bottom, mark.left : mark.right][mark.mask] = False
    cells = find_cells(ink)
    if not cells or len(cells) + len(marks) == 1:
        return None
    return lay_out(column, background, [*find_glyphs(ink, cells), *marks])


def find_cells(ink: Mask) -> list[Cell]:
    """Return the rows of each character, from top to bottom, in a column's ink, H x W.

    There are none without ink, or if more than `_MAX_CELLS` would fit.
    """
    across, down = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    if not len(down) or _is_too_long(ink):
        return []
    width, top, height = np.ptp(across) + 1, down[0], np.ptp(down) + 1
    profile = ink[top : top + height].sum(axis=1, dtype=np.float64)[:, None] / width
    rows = max(1, round(height * _UNIT / width))
    profile = cv2.resize(profile, (1, rows), interpolation=cv2.INTER_AREA)[:, 0]
    scale = height / rows
    return [
        (int(top + first * scale), int(top + np.ceil(last * scale)))
        for first, last in _cells(profile)
    ]


def _is_too_long(ink: Mask) -> bool:
    """Return whether more than `_MAX_CELLS` would fit in a column's ink, H x W."""
    across, down = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    return len(down) > 0 and bool(np.ptp(down) + 1 > _MAX_CELLS * (np.ptp(across) + 1))


def _background(column: Pixels) -> Pixels:
    """Return the background colour, 3, of a column, H x W x 3: the median of its sides."""
    side = max(1, column.shape[1] // 16)
    sides = np.concatenate([column[:, :side], column[:, -side:]], axis=1)
    return np.median(sides, axis=(0, 1)).astype(np.uint8)  # type: ignore[no-any-return]


def _ink(column: Pixels, background: Pixels) -> Mask:
    """Return which pixels of a column, H x W x 3, differ from the background, H x W."""
    contrast = cv2.absdiff(column, np.broadcast_to(background, column.shape)).max(axis=2)
    level, _ = cv2.threshold(contrast, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink: Mask = contrast > max(level, _MIN_CONTRAST)
    return ink


def _cells(profile: Numbers) -> list[Cell]:
    """Return the rows of each cell of a profile, N: the share of each row that is ink."""
    # Padded, so that a flat character at an end can have a full cell.
    padded = np.pad(profile, _UNIT)
    inked = np.flatnonzero(padded)
    cells = [inked[(inked >= top) & (inked < end)] for top, end in pairwise(_best_cuts(padded))]
    return [(int(rows[0]) - _UNIT, int(rows[-1]) + 1 - _UNIT) for rows in cells if len(rows)]


def _best_cuts(profile: Numbers) -> list[int]:
    """Return the rows at which a profile, N, is cut with the least costs over all pitches."""
    sizes, shapes = _size_costs(), _shape_costs(profile)
    through = _CUT_INK * np.minimum(profile, np.append(profile[1:], 0))
    # costs[_TALLEST + row] are the least costs of the rows above a row, for each pitch.
    costs = np.full((_TALLEST + len(profile) + 1, len(_PITCHES)), np.inf)
    costs[_TALLEST] = 0
    chosen = np.zeros((len(profile) + 1, len(_PITCHES)), int)
    for row in range(1, len(profile) + 1):
        options = costs[row : row + _TALLEST] + sizes + shapes[row - 1][:, None]
        chosen[row] = options.argmin(axis=0)
        costs[_TALLEST + row] = options.min(axis=0) + through[row - 1]
    pitch = costs[-1].argmin()
    cuts = [len(profile)]
    while cuts[-1] > 0:
        cuts.append(cuts[-1] - _TALLEST + int(chosen[cuts[-1], pitch]))
    return cuts[::-1]


def _size_costs() -> Numbers:
    """Return the costs of cells of height _TALLEST to 1 for each pitch; height 1 is a gap row."""
    heights = np.arange(_TALLEST, 0, -1)[:, None]
    costs: Numbers = _CELL + (heights / _PITCHES - 1) ** 2
    costs[-1] = _GAP
    return costs


def _shape_costs(profile: Numbers) -> Numbers:
    """Return the costs of a cell's ink, for each last row and each height from _TALLEST to 1."""
    rows = np.arange(len(profile))
    inked = profile > 0
    last = np.maximum.accumulate(np.where(inked, rows, -1))
    following = np.minimum.accumulate(np.where(inked, rows, len(profile))[::-1])[::-1]
    tops = rows[:, None] - np.arange(_TALLEST - 1, -1, -1)
    heights = last[:, None] + 1 - following[np.maximum(tops, 0)]
    costs = _TALL * np.maximum(0, heights / _UNIT - 1) ** 2
    costs[(heights <= 0) | (tops < 0)] = np.inf
    # A gap row between characters has costs, one before the first or after the last has none.
    outside = (last < 0) | (following == len(profile))
    costs[:, -1] = np.where(inked, np.inf, np.where(outside, -_GAP, 0))
    return costs
