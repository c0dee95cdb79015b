"""Reading order: rows from top to bottom, and in a row from left to right."""

from collections.abc import Sequence

import numpy as np

from model.vision.polygon import Numbers, Polygon

# Vertical distance between the middles of two boxes of one row, as a share of the lower height.
_SAME_ROW = 0.5


def reading_order(polygons: Sequence[Polygon], quarter_turns: int = 0) -> list[int]:
    """Return the indices of the boxes, 4 x 2 each, in reading order.

    `quarter_turns` is how often the page must be rotated by 90 degrees counter-clockwise to be
    upright. A small tilt is removed first, by the median slope of the boxes.
    """
    if not polygons:
        return []
    points = np.stack(polygons).astype(np.float64)
    for _ in range(quarter_turns % 4):
        points = np.stack([points[..., 1], -points[..., 0]], axis=-1)
        points = np.roll(points, -1, axis=1)  # the top right corner is now the top left one
    points = _without_tilt(points)
    low, high = points.min(axis=1), points.max(axis=1)
    middle, height = (low[:, 1] + high[:, 1]) / 2, high[:, 1] - low[:, 1]
    rows: list[list[int]] = []
    for index in np.argsort(middle, kind="stable"):
        row = rows[-1] if rows else []
        if row and _same_row(middle, height, row[-1], index):
            row.append(index)
        else:
            rows.append([index])
    return [int(index) for row in rows for index in sorted(row, key=lambda i: low[i, 0])]


def _same_row(middle: Numbers, height: Numbers, one: int, other: int) -> bool:
    """Return whether two boxes are in the same row."""
    return bool(abs(middle[one] - middle[other]) < _SAME_ROW * min(height[one], height[other]))


def _without_tilt(points: Numbers) -> Numbers:
    """Return the boxes, N x 4 x 2, rotated so that their median slope is zero."""
    wide = points[:, 1] - points[:, 0] + points[:, 2] - points[:, 3]
    long = np.hypot(wide[:, 0], wide[:, 1])
    slopes = np.arctan2(wide[:, 1], wide[:, 0])[long >= np.median(long)]
    tilt = float(np.median(slopes))
    rotation = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    rotated: Numbers = points @ rotation
    return rotated
