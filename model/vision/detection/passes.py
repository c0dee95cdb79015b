"""Merge the boxes of two passes over a page: a later pass loses nothing that an earlier one found.

Each place keeps the boxes of the pass whose scale suits its letters.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from model.vision.polygon import Numbers, Polygon

_ALONE = 0.2  # share of a box up to which others may cover it, if they are not of the same line
_CONTAINED = 0.7  # share of a box that a larger one covers, if it is a part of the same line
_PART = 0.3  # a part of a line has at least this share of its height
_LARGER = 4  # times the area of a part that is a stroke; margins alone are less
_AS_HIGH = 1.6  # times the height of a line; margins alone are less
_LONGER = 0.5  # by how many heights a box is longer if it has letters that another lacks


def merge_closer(earlier: Sequence[Polygon], closer: Sequence[Polygon]) -> list[Polygon]:
    """Return the boxes of a pass at a larger scale, and the earlier ones where it found nothing.

    Of letters that were small the earlier pass may have found two lines as one.
    """
    if not earlier or not closer:
        return [*earlier, *closer]
    alone = shared_areas(earlier, closer).sum(axis=1) < _ALONE * np.prod(_sides(earlier), axis=0)
    return [*closer, *(earlier[index] for index in np.flatnonzero(alone).tolist())]


def merge_farther(earlier: Sequence[Polygon], farther: Sequence[Polygon]) -> list[Polygon]:
    """Return the earlier boxes, but of large letters those of a pass at a smaller scale.

    Of a letter that is too large for it the earlier pass found strokes, or of a line some letters.
    Where it found whole lines, the later one may find less: of a column, each character alone.
    """
    if not earlier or not farther:
        return [*earlier, *farther]
    shared = shared_areas(earlier, farther)
    (low, length), (later_low, later_length) = _sides(earlier), _sides(farther)
    alone = shared.sum(axis=0) < _ALONE * later_low * later_length
    contained = shared > _CONTAINED * (low * length)[:, None]
    contained &= low[:, None] > _PART * later_low[None, :]
    # A smaller scale has larger margins, on all four sides.
    longer = (later_length - later_low)[None, :] > (length - low + _LONGER * low)[:, None]
    longer &= later_low[None, :] < _AS_HIGH * low[:, None]
    larger = (later_low * later_length)[None, :] > _LARGER * (low * length)[:, None]
    whole = (contained.sum(axis=0) > 1) | (contained & (longer | larger)).any(axis=0)
    kept = ~contained[:, whole].any(axis=1)
    return [
        *(earlier[index] for index in np.flatnonzero(kept).tolist()),
        *(farther[index] for index in np.flatnonzero(whole | alone).tolist()),
    ]


def shared_areas(first: Sequence[Polygon], second: Sequence[Polygon]) -> Numbers:
    """Return the areas that boxes have in common, N x M, in square px."""
    one, other = np.reshape(first, (-1, 4, 2)), np.reshape(second, (-1, 4, 2))
    touching = (one.min(axis=1)[:, None] < other.max(axis=1)[None]) & (
        other.min(axis=1)[None] < one.max(axis=1)[:, None]
    )
    shared = np.zeros((len(first), len(second)))
    for i, j in np.argwhere(touching.all(axis=2)).tolist():
        shared[i, j] = cv2.intersectConvexConvex(first[i], second[j])[0]
    return shared


def _sides(found: Sequence[Polygon]) -> tuple[Numbers, Numbers]:
    """Return the short sides of boxes and their long sides, N each, in px."""
    corners = np.array(found)
    sides = np.linalg.norm(corners[:, 1:3] - corners[:, :2], axis=2)
    return sides.min(axis=1), sides.max(axis=1)
