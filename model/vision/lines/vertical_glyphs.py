"""The characters of a column of vertical text, and which of them are punctuation.

In vertical text a full stop or a comma is in the upper right of its square or in its middle; in
horizontal text it is in the lower left. Brackets are rotated to the right.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.inference import Mask

# In widths of the column.
_SMALL = 0.45  # at most, on both sides: a punctuation mark
_SMALLEST = 0.06  # at least, on both sides; less is noise
_FREE_BELOW = 0.4  # rows without ink below a mark, which has a square of its own
_RIGHT = 0.7  # the middle of a mark in the upper right is beyond it
_DOT = 0.2  # at most, on both sides: a middle dot, if it is in the middle
_OFF_MIDDLE = 0.15
_FLAT = 0.14  # lower is a dash, or the character for one

_COVERED = 0.6  # of a mark's rows, by the character beside which it is
_BENT = 0.06  # of a bracket's width: the distance of its ink from a straight line
_SOLID = 0.5  # of a box; a bracket has less ink, a thick dash more


class Kind(Enum):
    """How a character is put in a horizontal line."""

    PLAIN = 0
    MARK = 1  # low
    BRACKET = 2  # rotated to the left


class Glyph(NamedTuple):
    """A character of a column: the bounds of its ink, in px, and how it is put in a line.

    `mask` is the ink within these bounds, h x w, of a mark that is beside another character.
    """

    left: int
    top: int
    right: int
    bottom: int
    kind: Kind
    mask: Mask | None = None


def find_marks(ink: Mask) -> list[Glyph]:
    """Return the marks in the upper right of their squares, in a column's ink, H x W.

    They may be beside the end of the character before them: no row separates the two.
    """
    across = np.flatnonzero(ink.any(axis=0))
    if not len(across):
        return []
    width = int(np.ptp(across)) + 1
    count, numbered, bounds, middles = cv2.connectedComponentsWithStats(ink.view(np.uint8))
    labels = np.asarray(numbered, np.int32)
    marks = []
    for label in range(1, count):
        left, top, wide, high, _ = map(int, bounds[label])
        if (
            _SMALLEST * width <= min(wide, high)
            and max(wide, high) <= _SMALL * width
            and middles[label][0] >= across[0] + _RIGHT * width
            and _has_its_square(labels, label, top, top + high, round(_FREE_BELOW * width))
        ):
            # Cropped: a long column has many marks, and each mask would be as large as the column.
            mask = labels[top : top + high, left : left + wide] == label
            marks.append(Glyph(left, top, left + wide, top + high, Kind.MARK, mask))
    return marks


def _has_its_square(
    labels: npt.NDArray[np.int32], label: int, top: int, bottom: int, below: int
) -> bool:
    """Return whether a component, in some rows, has free rows below it, and is below others."""
    beside = labels[top:bottom]
    covered = ((beside > 0) & (beside != label)).any(axis=1).mean()
    return bool(
        covered <= _COVERED and labels[:top].any() and not labels[bottom : bottom + below].any()
    )


def clear_beyond(ink: Mask, rows: slice) -> None:
    """Clear some rows beyond a column's end in its ink, H x W, unless they have just one mark."""
    _, labels, bounds, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
    found = [bounds[label] for label in np.unique(labels[rows]) if label]
    if not found:
        return
    left, top = min(each[0] for each in found), min(each[1] for each in found)
    right = max(each[0] + each[2] for each in found)
    bottom = max(each[1] + each[3] for each in found)
    largest = _SMALL * ink.shape[1]
    cut_off = top == 0 or bottom == len(ink)
    if cut_off or max(right - left, bottom - top) > largest:
        ink[rows] = False


def find_glyphs(ink: Mask, cells: Sequence[tuple[int, int]]) -> list[Glyph]:
    """Return the characters in the cells, first row and end, of a column's ink, H x W."""
    across = np.flatnonzero(ink.any(axis=0))
    width, middle = np.ptp(across) + 1, (across[0] + across[-1] + 1) / 2
    has_text = sum(bottom - top > _SMALL * width for top, bottom in cells) > 1
    glyphs = []
    for top, bottom in cells:
        part = ink[top:bottom]
        columns = np.flatnonzero(part.any(axis=0))
        left, right = int(columns[0]), int(columns[-1]) + 1
        wide, high = (right - left) / width, (bottom - top) / width
        off_middle = abs((left + right) / 2 - middle) > _OFF_MIDDLE * width
        kind = Kind.PLAIN
        if has_text and max(wide, high) <= _SMALL and (off_middle or max(wide, high) > _DOT):
            kind = Kind.MARK
        elif _FLAT < high <= _SMALL < wide and _is_bent(part[:, left:right]):
            kind = Kind.BRACKET
        glyphs.append(Glyph(left, top, right, bottom, kind))
    return glyphs


def _is_bent(ink: Mask) -> bool:
    """Return whether ink is one bent stroke; a dash on a page with a tilt is a straight one."""
    components, _ = cv2.connectedComponents(ink.astype(np.uint8))
    background = 1
    if components - background != 1 or ink.mean() >= _SOLID:
        return False
    rows, columns = np.nonzero(ink)
    _, (squares, *_), *_ = np.polyfit(columns, rows, 1, full=True)
    return bool(np.sqrt(squares / len(rows)) > _BENT * ink.shape[1])
