"""The ruled lines of a page, found in its pixels.

Levelled px are px of the page after `Rules.level` has removed its slope.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from model.vision.inference import Pixels
from model.vision.polygon import Numbers, Polygon, rotation
from model.vision.tables.strokes import Grey, find_strokes

_TEXT_PX = 12.0  # least height of a text box on the reduced page
_MAX_PIXELS = 1_500_000  # of the reduced page
_MARGIN = 8.0  # in heights: a table reaches over its text by less than this
_LEVEL = np.radians(0.1)  # a smaller slope is left to the rules found
_BESIDE = 0.7  # of a box's size, between the middles of two boxes side by side
_MIN_PAIRS = 2  # boxes side by side, without which a page has no table
_QUARTER = np.pi / 2


@dataclass(frozen=True, slots=True)
class Rules:
    """Straight rules: `horizontal` N x 3 (y, left, right), `vertical` M x 3 (x, top, bottom).

    They are in levelled px: `points @ level`, with a 2 x 2 matrix.
    """

    level: Numbers
    horizontal: Numbers
    vertical: Numbers

    def turned(self, quarters: int) -> "Rules":
        """Return the rules of the page rotated by 90 degrees counter-clockwise so many times."""
        level, across, down = self.level, self.horizontal, self.vertical
        for _ in range(quarters % 4):
            level = level @ np.array([[0.0, -1.0], [1.0, 0.0]])
            across, down = down * (-1, 1, 1), across[:, [0, 2, 1]] * (1, -1, -1)
        return Rules(level, across, down)


def no_rules(polygons: Sequence[Polygon]) -> Rules:
    """Return an empty set of rules, with the slope of the boxes."""
    return Rules(rotation(_slope(polygons)), np.empty((0, 3)), np.empty((0, 3)))


def find_rules(pixels: Pixels, polygons: Sequence[Polygon]) -> Rules:
    """Return the rules of a page, H x W x 3, around its text boxes.

    It looks only at a page with boxes side by side.
    """
    if not _side_by_side(polygons):
        return no_rules(polygons)
    corners = np.stack(polygons)
    sides = np.linalg.norm(corners[:, [1, 3]] - corners[:, :1], axis=2)
    height = max(1.0, float(np.median(sides.min(axis=1))))
    points = corners.reshape(-1, 2)
    margin = _MARGIN * height
    low = np.maximum(points.min(0) - margin, 0).astype(int)
    high = np.minimum(points.max(0) + margin, pixels.shape[1::-1]).astype(int)
    area = int(np.prod(high - low))
    # A whole number: OpenCV averages pixels ten times faster than for others.
    factor = max(1, int(height / _TEXT_PX), math.ceil(math.sqrt(area / _MAX_PIXELS)))
    high = low + (high - low) // factor * factor
    if (high - low < factor).any():
        return no_rules(polygons)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    scale = 1 / factor
    slope = _slope(polygons)
    levelling = rotation(slope if abs(slope) > _LEVEL else 0.0)
    grey, text, corner = _levelled(part, polygons, low, factor, levelling)
    across = find_strokes(grey, text, height * scale, upright=False)
    down = find_strokes(cv2.transpose(grey), cv2.transpose(text), height * scale, upright=True)
    origin = low @ levelling
    found = []
    for segments, axis in ((across, 0), (down, 1)):
        along = (segments[:, :2] + corner[axis]) / scale + origin[axis]
        position = (segments[:, 2:] + corner[1 - axis]) / scale + origin[1 - axis]
        found.append(np.concatenate([along, position], axis=1))
    return _straightened(levelling, *found)


def _side_by_side(polygons: Sequence[Polygon]) -> bool:
    """Return whether enough boxes have another one beside them, in any direction of the page."""
    if len(polygons) < 2 * _MIN_PAIRS:
        return False
    points = np.stack(polygons).astype(np.float64) @ rotation(_slope(polygons))
    low, high = points.min(axis=1), points.max(axis=1)
    middle, size = (low + high) / 2, high - low
    order = np.argsort(middle, axis=0)
    apart = np.diff(np.take_along_axis(middle, order, axis=0), axis=0)
    beside = apart < _BESIDE * np.take_along_axis(size, order, axis=0)[1:]
    return bool((beside.sum(axis=0) >= _MIN_PAIRS).all())


def _slope(polygons: Sequence[Polygon]) -> float:
    """Return the median angle of the boxes' longer sides to the nearest axis, in radians."""
    if not polygons:
        return 0.0
    points = np.stack(polygons).astype(np.float64)
    across, down = points[:, 1] - points[:, 0], points[:, 3] - points[:, 0]
    longer = np.where((np.hypot(*across.T) >= np.hypot(*down.T))[:, None], across, down)
    angles = np.arctan2(longer[:, 1], longer[:, 0])
    angles = (angles + _QUARTER / 2) % _QUARTER - _QUARTER / 2
    lengths = np.hypot(*longer.T)
    return float(np.median(angles[lengths >= np.median(lengths)]))


def _levelled(
    part: Pixels, polygons: Sequence[Polygon], low: Numbers, factor: int, levelling: Numbers
) -> tuple[Grey, Grey, Numbers]:
    """Return the reduced, levelled page in grey, and where it has text: 255, else 0.

    The third value is the top left corner of both, in reduced px from the part's own corner.
    """
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    width, height = part.shape[1] // factor, part.shape[0] // factor
    grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    corner = np.zeros(2)
    if levelling[0, 1]:
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ levelling
        corner = corners.min(0)
        size = np.ceil(corners.max(0) - corner).astype(int)
        transform = np.concatenate([levelling.T, -corner[:, None]], axis=1)
        grey = cv2.warpAffine(grey, transform, size.tolist(), borderMode=cv2.BORDER_REPLICATE)
    text = np.zeros_like(grey)
    level = (np.stack(polygons) - low) @ levelling / factor - corner
    first, last = np.floor(level.min(axis=1)), np.ceil(level.max(axis=1))
    for begin, end in zip(first.astype(int).tolist(), last.astype(int).tolist(), strict=True):
        cv2.rectangle(text, begin, end, 255, cv2.FILLED)
    return grey, text, corner


def _straightened(levelling: Numbers, across: Numbers, down: Numbers) -> Rules:
    """Return the rules after removing the slope that most of them still have."""
    slopes = [0.0, 0.0]
    for axis, each in enumerate((across, down)):
        length = each[:, 1] - each[:, 0]
        if len(each):
            longest = length >= np.median(length)
            slopes[axis] = float(np.median(((each[:, 3] - each[:, 2]) / length)[longest]))
    shear = np.array([[1.0, -slopes[0]], [-slopes[1], 1.0]])
    y, x = across[:, 2:].mean(1), down[:, 2:].mean(1)
    across_middle, down_middle = across[:, :2].mean(1), down[:, :2].mean(1)
    horizontal = np.stack(
        [y - slopes[0] * across_middle, *(across[:, :2] - slopes[1] * y[:, None]).T], 1
    )
    vertical = np.stack([x - slopes[1] * down_middle, *(down[:, :2] - slopes[0] * x[:, None]).T], 1)
    return Rules(levelling @ shear, horizontal, vertical)
