"""Which shapes look like seals: a compact outline, round, oval or a frame, that is not filled."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.inference import Mask
from model.vision.outlines import outlines

Hull = npt.NDArray[np.int32]  # N x 2, x and y

_MAX_LONG, _MAX_SHORT = 0.6, 0.95  # of the page's long and short side
_MAX_ASPECT = 3.5
_LEAST_FILL = 0.03  # share of the hull that is inked; a table has less
_OUTLINED = 0.75  # share of the hull's edge that the shape follows; letters do at few places
_RULE_PX = 40


class Shape(NamedTuple):
    """A shape's convex hull, in px of its mask, and the share of the hull's edge it follows."""

    hull: Hull
    followed: float


def shapes(mask: Mask, *, joined_px: int, least_px: int, most_fill: float) -> Iterator[Shape]:
    """Yield the shapes of a mask that look like a seal.

    Pixels less than `joined_px` apart belong together. The sides are at least `least_px` long, and
    less than `most_fill` of the hull is inked.
    """
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((joined_px, joined_px), np.uint8))
    for contour in outlines(joined):  # type: ignore[arg-type]
        x, y, wide, high = cv2.boundingRect(contour)
        if min(wide, high) < least_px or not _compact(wide, high, mask.shape):
            continue
        hull = cv2.convexHull(contour)[:, 0]
        inside = np.zeros((high, wide), np.uint8)
        cv2.fillConvexPoly(inside, hull - (x, y), (1,))
        edge = inside - cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=0)
        window = np.s_[y : y + high, x : x + wide]
        near = cv2.dilate(joined[window], np.ones((3, 3), np.uint8))
        fill = np.count_nonzero(mask[window] & (inside > 0)) / np.count_nonzero(inside)
        followed = np.count_nonzero(near[edge > 0]) / np.count_nonzero(edge)
        if _LEAST_FILL < fill < most_fill and followed > _OUTLINED:
            yield Shape(hull.astype(np.int32), followed)


def without_rules(mask: Mask) -> Mask:
    """Return a mask without its long straight lines, level and upright: those of a form."""
    plain = mask.astype(np.uint8)
    rules = [
        cv2.morphologyEx(plain, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        for shape in ((1, _RULE_PX), (_RULE_PX, 1))
    ]
    alone: Mask = mask & (rules[0] == 0) & (rules[1] == 0)
    return alone


def has_middle_in(hull: Hull, other: Hull) -> bool:
    """Return whether the middle of one hull is within the bounds of the other."""
    middle = (hull.min(0) + hull.max(0)) / 2
    return bool(((other.min(0) < middle) & (middle < other.max(0))).all())


def _compact(wide: int, high: int, page: tuple[int, ...]) -> bool:
    """Return whether bounds of this size can be a seal's, on a page of this height and width."""
    long, short = max(wide, high), min(wide, high)
    return long <= min(_MAX_ASPECT * short, _MAX_LONG * max(page), _MAX_SHORT * min(page))
