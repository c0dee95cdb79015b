"""Boxes that reach over a rule of a table are divided there, before they are read.

Detectors join the texts of narrow cells. A box is divided only where the rule is certainly one: it
joins two other rules, goes through the whole box, and no ink goes across it.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.crop import crop_line
from model.vision.inference import Pixels
from model.vision.polygon import Numbers, Polygon
from model.vision.tables.boxes import boxes_of
from model.vision.tables.rules import Rules

# In heights of a text box.
_TOUCH = 0.6
_APART = 1.0  # between the two rules that a rule joins
_PART = 0.6  # the least width of a part that may be text
_THROUGH = 0.1  # a rule may end this far inside the box
_AROUND = 0.4  # of the rule, where paper is looked for
_FAINT = 10.0  # grey levels between a rule and the paper
_INK = 0.75  # of a rule's darkness: what has less is paper, or its blurred edge
_FULL = 0.9  # share of the box's height in which a rule is dark
_BESIDE_PX = 1  # of the page, at each side of a rule
_CROSSING = 0.1  # share of the box's height in which a rule may have ink at both sides
_ELONGATED = 1.5  # boxes with a longer side of this ratio run along it
_PAPER = 90  # percentile of a strip's grey levels that is its paper


def split_at_rules(pixels: Pixels, polygons: Sequence[Polygon], rules: Rules) -> list[Polygon]:
    """Return the boxes of a page, H x W x 3, those that reach over rules in parts."""
    if not len(rules.horizontal) or not len(rules.vertical):
        return list(polygons)
    boxes = boxes_of(polygons, rules.level)
    size = boxes.high - boxes.low
    height = float(np.median(size.min(axis=1)))
    result = list(polygons)
    for axis, found, others in (
        (0, rules.vertical, rules.horizontal),
        (1, rules.horizontal, rules.vertical),
    ):
        joining = found[_joins_two(found, others, height)]
        low, high = boxes.low, boxes.high
        reach = _PART * height
        through = (
            (low[:, axis, None] < joining[:, 0] - reach)
            & (joining[:, 0] + reach < high[:, axis, None])
            & (joining[:, 1] < low[:, 1 - axis, None] + _THROUGH * height)
            & (high[:, 1 - axis, None] - _THROUGH * height < joining[:, 2])
            & (size[:, axis, None] > _ELONGATED * size[:, 1 - axis, None])
        )
        for index in np.flatnonzero(through.any(axis=1)).tolist():
            shares = (joining[through[index], 0] - low[index, axis]) / size[index, axis]
            parts = _parts(pixels, polygons[index], axis, np.sort(shares), height)
            result[index] = parts[0]
            result.extend(parts[1:])
    return result


def _joins_two(rules: Numbers, others: Numbers, height: float) -> npt.NDArray[np.bool_]:
    """Return which rules meet two others that are apart from each other."""
    touch = _TOUCH * height
    meets = (
        (others[:, 1] - touch <= rules[:, 0, None])
        & (rules[:, 0, None] <= others[:, 2] + touch)
        & (rules[:, 1, None] - touch <= others[:, 0])
        & (others[:, 0] <= rules[:, 2, None] + touch)
    )
    first = np.where(meets, others[:, 0], np.inf).min(axis=1)
    last = np.where(meets, others[:, 0], -np.inf).max(axis=1)
    apart: npt.NDArray[np.bool_] = last - first > _APART * height
    return apart


def _parts(
    pixels: Pixels, polygon: Polygon, axis: int, shares: Numbers, height: float
) -> list[Polygon]:
    """Return the parts of a box between the places, shares of its length, where it is divided."""
    parts, begin = [], 0.0
    length = float(np.linalg.norm(polygon[1 if axis == 0 else 3] - polygon[0]))
    for share in shares:
        around = _AROUND * height / length
        gap = _gap(pixels, _part(polygon, axis, share - around, share + around), axis)
        if gap is None:
            continue
        first, last = share - around + 2 * around * gap[0], share - around + 2 * around * gap[1]
        if first > begin:
            parts.append(_part(polygon, axis, begin, first))
            begin = last
    return [*parts, _part(polygon, axis, begin, 1.0)]


def _part(polygon: Polygon, axis: int, first: float, last: float) -> Polygon:
    """Return the part of a box between two shares of its length."""
    if axis == 0:
        left, right = polygon[[0, 3]], polygon[[1, 2]]
        cut = [left + (right - left) * share for share in (first, last)]
        return np.array([cut[0][0], cut[1][0], cut[1][1], cut[0][1]], np.float32)
    top, bottom = polygon[[0, 1]], polygon[[3, 2]]
    cut = [top + (bottom - top) * share for share in (first, last)]
    return np.array([cut[0][0], cut[0][1], cut[1][1], cut[1][0]], np.float32)


def _gap(pixels: Pixels, strip: Polygon, axis: int) -> tuple[float, float] | None:
    """Return where a rule begins and ends, as shares of a strip's width.

    There is none if the strip has no rule, or if ink goes across it.
    """
    grey = cv2.cvtColor(crop_line(pixels, strip, sideways=False), cv2.COLOR_RGB2GRAY)
    depth = float(np.percentile(grey, _PAPER)) - grey.astype(np.float64)
    depth = depth if axis == 0 else depth.T
    weakest = np.quantile(depth, 1 - _FULL, axis=0)
    centre = int(weakest.argmax())
    if weakest[centre] < _FAINT:
        return None
    dark = depth > _INK * weakest[centre]
    rule = dark.mean(axis=0) >= _FULL
    first, last = centre, centre
    while first > 0 and rule[first - 1]:
        first -= 1
    while last < len(rule) - 1 and rule[last + 1]:
        last += 1
    before, after = dark[:, max(0, first - _BESIDE_PX) : first], dark[:, last + 1 :][:, :_BESIDE_PX]
    if not before.size or not after.size:
        return None
    if (before.any(axis=1) & after.any(axis=1)).mean() > _CROSSING:
        return None
    return first / len(rule), (last + 1) / len(rule)
