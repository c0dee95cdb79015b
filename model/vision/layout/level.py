"""Boxes made upright and level, so that they can be compared by their sides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.vision.polygon import Numbers, Polygon, rotation

_LONG = 6.0  # width of a box by its height from which its slope counts
_ENOUGH_LONG = 3  # such boxes; a few would tilt their block by their own inaccuracy


@dataclass(frozen=True, slots=True)
class LevelBoxes:
    """The sides of N level boxes, an array each, in px; y grows downwards.

    `slope` is what is left of a box's own slope, as a ratio: a block may be tilted otherwise than
    its page.
    """

    left: Numbers
    right: Numbers
    middle: Numbers  # y
    height: Numbers
    slope: Numbers

    def __len__(self) -> int:
        return len(self.left)

    def part(self, members: Sequence[int]) -> "LevelBoxes":
        """Return some of the boxes, levelled by their own slope."""
        chosen = np.asarray(members, np.intp)
        left, right, middle = self.left[chosen], self.right[chosen], self.middle[chosen]
        height, slope = self.height[chosen], self.slope[chosen]
        long = right - left >= _LONG * height
        if np.count_nonzero(long) >= _ENOUGH_LONG:
            tilt = float(np.median(slope[long]))
            centre = (left + right) / 2
            middle, slope = middle - tilt * (centre - centre.mean()), slope - tilt
        return LevelBoxes(left, right, middle, height, slope)


@dataclass(frozen=True, slots=True)
class Levelling:
    """The rotation that makes a page level: by quarter turns counter-clockwise, then by `tilt`."""

    quarter_turns: int
    tilt: float  # radians, clockwise

    @classmethod
    def of(cls, polygons: Sequence[Polygon], quarter_turns: int) -> "Levelling":
        """Return that of a page: its tilt is the median of the longer half of its boxes."""
        lengths, angles = _directions(_turned(np.stack(polygons), quarter_turns))
        tilt = float(np.median(angles[lengths >= np.median(lengths)]))
        return cls(quarter_turns % 4, tilt)

    def level(self, points: Numbers) -> Numbers:
        """Return points, N x 4 x 2, of a level page."""
        rotated: Numbers = _turned(points, self.quarter_turns) @ rotation(self.tilt)
        return rotated

    def frame(self, polygons: Sequence[Polygon]) -> Polygon:
        """Return the rectangle round boxes, clockwise from the top left of the level page."""
        points = self.level(np.stack(polygons)).reshape(-1, 2)
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        corners = corners @ rotation(-self.tilt)
        for _ in range(self.quarter_turns):
            corners = np.stack([-corners[:, 1], corners[:, 0]], axis=-1)
        return corners.astype(np.float32)


def level_boxes(polygons: Sequence[Polygon], levelling: Levelling) -> LevelBoxes:
    """Return the sides of boxes, 4 x 2 each, on the level page."""
    points = levelling.level(np.stack(polygons))
    _, angles = _directions(points)
    x, y = np.moveaxis(np.sort(points, axis=1), -1, 0)
    return LevelBoxes(
        left=x[:, :2].mean(axis=1),
        right=x[:, 2:].mean(axis=1),
        middle=y.mean(axis=1),
        height=np.maximum(1.0, y[:, 2:].mean(axis=1) - y[:, :2].mean(axis=1)),
        slope=np.clip(np.tan(angles), -1.0, 1.0),
    )


def _turned(points: Numbers, quarter_turns: int) -> Numbers:
    """Return boxes, N x 4 x 2, after quarter turns counter-clockwise."""
    points = points.astype(np.float64)
    for _ in range(quarter_turns % 4):
        points = np.stack([points[..., 1], -points[..., 0]], axis=-1)
        points = np.roll(points, -1, axis=1)  # the top right corner is now the top left one
    return points


def _directions(points: Numbers) -> tuple[Numbers, Numbers]:
    """Return twice the length of each box, and its angle in radians, clockwise."""
    wide = points[:, 1] - points[:, 0] + points[:, 2] - points[:, 3]
    return np.hypot(wide[:, 0], wide[:, 1]), np.arctan2(wide[:, 1], wide[:, 0])
