"""Rows from top to bottom, and in a row from left to right."""

import numpy as np

from model.vision.layout.level import LevelBoxes

# Vertical distance between the middles of two boxes of one row, as a share of the lower height.
_SAME_ROW = 0.5


def rows(boxes: LevelBoxes) -> list[list[int]]:
    """Return the indices of the boxes in each row."""
    middle, height, left = boxes.middle.tolist(), boxes.height.tolist(), boxes.left.tolist()
    found: list[list[int]] = []
    for index in np.argsort(boxes.middle, kind="stable").tolist():
        row = found[-1] if found else []
        lower = min(height[index], height[row[-1]]) if row else 0.0
        if row and middle[index] - middle[row[-1]] < _SAME_ROW * lower:
            row.append(index)
        else:
            found.append([index])
    return [sorted(row, key=left.__getitem__) for row in found]
