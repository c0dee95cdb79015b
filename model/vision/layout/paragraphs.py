"""Rows of a region parted into paragraphs and tables, by the gaps between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from model.vision.blocks import Kind
from model.vision.layout.level import LevelBoxes

_TIMES_USUAL = 1.3  # lowest distance of two rows of two blocks, by the usual one, ...
_APART = 0.4  # ... and by how many heights of a line it is larger
_ALONE = 1.5  # the usual distance by the height of a line, where there is no other
_LARGER = 1.5  # ratio of the heights of a heading and of text
_NEXT_ROWS = 5  # how many distances show what is usual
_WORDS_APART = 0.7  # highest gap between words, in heights of a line
_SAME_EDGE = 0.6  # distance of the edges of two cells of one column, in heights of a line


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Rows that belong together, and whether they are a table's."""

    kind: Kind
    rows: list[list[int]]


def paragraphs(boxes: LevelBoxes, rows: list[list[int]]) -> Iterator[Paragraph]:
    """Yield the paragraphs and tables that rows of boxes form, from top to bottom."""
    middle, height = boxes.middle.tolist(), boxes.height.tolist()
    middles = [sum(middle[i] for i in row) / len(row) for row in rows]
    heights = [max(height[i] for i in row) for row in rows]
    steps = [after - before for before, after in pairwise(middles)]
    start = 0
    for i, step in enumerate(steps):
        low, high = sorted(heights[i : i + 2])
        around = (steps[max(start, i - _NEXT_ROWS) : i], steps[i + 1 : i + 1 + _NEXT_ROWS])
        usual = min((median(near) for near in around if near), default=_ALONE * high)
        apart = step > max(_TIMES_USUAL * usual, usual + _APART * low)
        if apart or high > _LARGER * low:
            yield _paragraph(boxes, rows[start : i + 1])
            start = i + 1
    yield _paragraph(boxes, rows[start:])


def _paragraph(boxes: LevelBoxes, rows: list[list[int]]) -> Paragraph:
    cells = [_cells(boxes, row) for row in rows]
    parted = [row for row in cells if len(row) > 1]
    table = len(parted) > 1 and 2 * len(parted) > len(rows) and _aligned(parted, boxes)
    return Paragraph("table" if table else "text", rows)


def _cells(boxes: LevelBoxes, row: list[int]) -> list[tuple[float, float]]:
    """Return the extents of the cells of a row: words that are near each other are in one."""
    cells: list[tuple[float, float]] = []
    for index in row:
        left, right = float(boxes.left[index]), float(boxes.right[index])
        if cells and left - cells[-1][1] < _WORDS_APART * boxes.height[index]:
            cells[-1] = (cells[-1][0], right)
        else:
            cells.append((left, right))
    return cells


def _aligned(rows: list[list[tuple[float, float]]], boxes: LevelBoxes) -> bool:
    """Return whether most last cells begin or end below those of another row."""
    within = _SAME_EDGE * float(np.median(boxes.height))
    last = [row[-1] for row in rows]
    near = sum(
        any(
            min(abs(cell[0] - other[0]), abs(cell[1] - other[1])) <= within
            for j, other in enumerate(last)
            if j != i
        )
        for i, cell in enumerate(last)
    )
    return 2 * near > len(last)
