"""The boxes of columns of vertical text: the parts of a column joined, and its ends.

A comma takes a square of its own, mostly blank: the detector ends a box there, and leaves out a
mark at the end of a column.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.vision.polygon import Numbers, Polygon, width_and_height

# In widths of the longest box.
_ASIDE = 0.35  # between the middles of two parts of a column
_WIDEST = 1.3  # a part
_APART = 0.2  # between their ends; the detector has made both boxes larger
_MARK, _MARK_APART = 0.6, 1.0  # both sides of a mark's box; how far it may be from an end


def column_parts(polygons: Sequence[Polygon], sideways: set[int]) -> list[list[int]]:
    """Return the indices of the boxes of each column, and of each line that is not `sideways`."""
    groups = [[index] for index in range(len(polygons)) if index not in sideways]
    order = sorted(sideways, key=lambda index: -width_and_height(polygons[index])[1])
    corners = np.array([polygons[index] for index in order], np.float64).reshape(-1, 4, 2)
    left = np.arange(len(order))
    while left.size:
        group, box = [order[left[0]]], polygons[order[left[0]]]
        left = left[1:]
        while (parts := np.flatnonzero(_continues(box, corners[left]))).size:
            group.append(order[left[parts[0]]])
            box = joined([box, polygons[group[-1]]])
            left = np.delete(left, parts[0])
        groups.append(group)
    return groups


def joined(parts: Sequence[Polygon]) -> Polygon:
    """Return the box around the parts of a column, which leans like the first one."""
    if len(parts) == 1:
        return parts[0]
    frame = _frame(parts[0])
    points = np.concatenate(parts).astype(np.float64) @ frame.T
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    box: Polygon = (corners @ frame).astype(np.float32)
    return box


def extended(polygon: Polygon, by_px: float) -> Polygon:
    """Return a column's box with more above and below it."""
    down = _frame(polygon)[1] * by_px
    larger: Polygon = (polygon + np.array([-down, -down, down, down])).astype(np.float32)
    return larger


def _continues(box: Polygon, parts: Numbers) -> npt.NDArray[np.bool_]:
    """Return which of the boxes, N x 4 x 2, are parts of the same column as a longer one."""
    frame = _frame(box)
    whole, other = box.astype(np.float64) @ frame.T, parts @ frame.T
    low, high = other.min(axis=1), other.max(axis=1)
    width = np.ptp(whole[:, 0])
    aside = np.abs(whole[:, 0].mean() - other[:, :, 0].mean(axis=1))
    apart = np.maximum(low[:, 1] - whole[:, 1].max(), whole[:, 1].min() - high[:, 1])
    across, along = (high - low).T
    marks = np.maximum(across, along) <= _MARK * width
    near = apart <= np.where(marks, _MARK_APART, _APART) * width
    same: npt.NDArray[np.bool_] = near & (aside <= _ASIDE * width) & (across <= _WIDEST * width)
    return same


def _frame(polygon: Polygon) -> Numbers:
    """Return the directions across and down a box, 2 x 2, each of length 1."""
    down = (polygon[3] - polygon[0] + polygon[2] - polygon[1]).astype(np.float64)
    down /= max(1e-9, float(np.hypot(*down)))
    return np.array([[down[1], -down[0]], down])
