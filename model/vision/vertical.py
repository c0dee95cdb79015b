"""A column of upright characters, laid out as one line: the networks read from left to right."""

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.inference import Pixels
from model.vision.polygon import Numbers

Mask = npt.NDArray[np.bool_]
Cell = tuple[int, int]  # its first row, and the row after its last

_MAX_CELLS = 100  # longer columns are left alone: it bounds the time and the line's length
_UNIT = 24  # rows that stand for a column's width while cuts are sought
# How far apart the middles of two characters may be, in rows. Each is tried.
_PITCHES = _UNIT * np.geomspace(0.8, 3.2, 12)
_TALLEST = round(1.3 * _PITCHES[-1])  # a cell's height, in rows
# What a way to cut costs; a cell half a pitch too high or too low costs 0.25.
_EACH = 0.02  # each cell: of two ways as good, the one with fewer
_SKIP = 0.3 / _UNIT  # a row between cells: even spacing tells two strokes from two characters
_HIGH = 1.5  # (ink's height beyond the column's width, in widths) squared: cells are about square
_THROUGH = 8.0  # a cut through ink as wide as the column
_MIN_CONTRAST = 24  # of 255; less is not ink but paper
_MARGIN = 0.08  # of the column's width, around each character
_EVEN = 1.3  # a line's height on an even grid, in highest characters; beyond it there is no grid


def unstack(column: Pixels) -> Pixels | None:
    """Return a column's characters, H x W x 3, side by side as h x w x 3; None for no column."""
    paper = _paper(column)
    ink = _ink(column, paper)
    cells = find_cells(ink)
    return _lay_out(column, ink, paper, cells) if len(cells) > 1 else None


def find_cells(ink: Mask) -> list[Cell]:
    """Return the rows of each character, top to bottom, of a column's ink, H x W.

    None are found where nothing is written, or more than `_MAX_CELLS` would fit.
    """
    across, down = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    if not len(down):
        return []
    width, top, height = np.ptp(across) + 1, down[0], np.ptp(down) + 1
    if height > _MAX_CELLS * width:
        return []
    profile = ink[top : top + height].sum(axis=1, dtype=np.float64)[:, None] / width
    rows = max(1, round(height * _UNIT / width))
    profile = cv2.resize(profile, (1, rows), interpolation=cv2.INTER_AREA)[:, 0]
    scale = height / rows
    return [
        (int(top + first * scale), int(top + np.ceil(last * scale)))
        for first, last in _cells(profile)
    ]


def _paper(column: Pixels) -> Pixels:
    """Return the colour, 3, that a column, H x W x 3, is written on: what its sides mostly have."""
    side = max(1, column.shape[1] // 16)
    sides = np.concatenate([column[:, :side], column[:, -side:]], axis=1)
    return np.median(sides, axis=(0, 1)).astype(np.uint8)  # type: ignore[no-any-return]


def _ink(column: Pixels, paper: Pixels) -> Mask:
    """Return where a column, H x W x 3, differs from its paper, darker or lighter, H x W."""
    contrast = cv2.absdiff(column, np.broadcast_to(paper, column.shape)).max(axis=2)
    level, _ = cv2.threshold(contrast, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink: Mask = contrast > max(level, _MIN_CONTRAST)
    return ink


def _cells(profile: Numbers) -> list[Cell]:
    """Return the inked rows of each cell of a profile, N: the share of each row that is ink."""
    # So that a flat character at an end may have a whole cell.
    padded = np.pad(profile, _UNIT)
    inked = np.flatnonzero(padded)
    cells = [inked[(inked >= top) & (inked < end)] for top, end in pairwise(_best_cuts(padded))]
    return [(int(rows[0]) - _UNIT, int(rows[-1]) + 1 - _UNIT) for rows in cells if len(rows)]


def _best_cuts(profile: Numbers) -> list[int]:
    """Return the rows at which a profile, N, is cut in the cheapest way, at the cheapest pitch."""
    sizes, shapes = _size_costs(), _shape_costs(profile)
    through = _THROUGH * np.minimum(profile, np.append(profile[1:], 0))
    # costs[_TALLEST + row] is the least for all above a row, at each pitch; nothing is above 0.
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
    """Return what cells of height _TALLEST to 1 cost at each pitch; height 1 is a skipped row."""
    heights = np.arange(_TALLEST, 0, -1)[:, None]
    costs: Numbers = _EACH + (heights / _PITCHES - 1) ** 2
    costs[-1] = _SKIP
    return costs


def _shape_costs(profile: Numbers) -> Numbers:
    """Return what a cell of height _TALLEST to 1 that ends after a row costs for its ink."""
    rows = np.arange(len(profile))
    inked = profile > 0
    last = np.maximum.accumulate(np.where(inked, rows, -1))
    following = np.minimum.accumulate(np.where(inked, rows, len(profile))[::-1])[::-1]
    tops = rows[:, None] - np.arange(_TALLEST - 1, -1, -1)
    heights = last[:, None] + 1 - following[np.maximum(tops, 0)]
    costs = _HIGH * np.maximum(0, heights / _UNIT - 1) ** 2
    costs[(heights <= 0) | (tops < 0)] = np.inf
    # Skipped: a row between characters costs, one before the first or after the last does not.
    outside = (last < 0) | (following == len(profile))
    costs[:, -1] = np.where(inked, np.inf, np.where(outside, -_SKIP, 0))
    return costs


def _lay_out(column: Pixels, ink: Mask, paper: Pixels, cells: list[Cell]) -> Pixels:
    """Return the cells of a column, H x W x 3, side by side on its paper, h x w x 3."""
    margin = max(1, round(_MARGIN * np.ptp(np.flatnonzero(ink.any(axis=0)))))
    colour = paper.tolist()
    column = cv2.copyMakeBorder(  # type: ignore[assignment]
        column, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=colour
    )
    firsts, height = _first_rows(cells, int(np.ptp(np.flatnonzero(ink.any(axis=0)))))
    pieces = []
    for (top, bottom), first in zip(cells, firsts, strict=True):
        across = np.flatnonzero(ink[top:bottom].any(axis=0))
        # The border shifts all by its width: this is the character and a margin on each side.
        piece = column[top + margin : bottom + margin, across[0] : across[-1] + 1 + 2 * margin]
        above = int(first) + margin
        below = height + 2 * margin - above - len(piece)
        pieces.append(
            cv2.copyMakeBorder(piece, above, below, 0, 0, cv2.BORDER_CONSTANT, value=colour)
        )
    return np.concatenate(pieces, axis=1)


def _first_rows(cells: list[Cell], width: int) -> tuple[Numbers, int]:
    """Return in which row of the line each cell begins, and the line's height.

    Cells keep their places relative to an even grid, so that a full stop stays low and a letter
    on its baseline; where they follow none, their middles are put level.
    """
    spans = np.array(cells, float)
    middles, highest = spans.mean(axis=1), np.ptp(spans, axis=1).max()
    gaps = np.diff(middles)
    steps = np.append(0, np.maximum(1, np.rint(gaps / max(1.0, np.median(gaps)))).cumsum())
    slope, start = np.polyfit(steps, middles, 1)
    placed = spans - (start + slope * steps)[:, None]
    if np.ptp(placed) > _EVEN * max(highest, width):
        placed = spans - middles[:, None]
    low, high = placed.min(), placed.max()
    spare = max(0.0, width - (high - low)) / 2  # a line of dashes must not be enlarged to fill it
    return placed[:, 0] - low + spare, int(np.ceil(high - low + 2 * spare)) + 1
