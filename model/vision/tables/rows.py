"""The rows of a page: texts beside each other."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from model.vision.tables.boxes import Boxes

# In heights of a text box.
_WORD_GAP = 0.4  # boxes nearer than this are one text
_TALL = 2.5  # what is higher is no cell
_CORE = 0.3  # of a box's own height, left out above and below: boxes of two rows may touch


@dataclass(frozen=True, slots=True)
class Text:
    """The boxes of a row that are one text, and where it begins and ends."""

    lines: tuple[int, ...]
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Row:
    """The texts of a row of the page, from left to right, and its top and bottom."""

    texts: tuple[Text, ...]
    top: float
    bottom: float


def page_rows(boxes: Boxes, lines: Iterable[int]) -> list[Row]:
    """Return the rows of a page: lines beside each other, also those beside a cell of several."""
    low, high = boxes.low, boxes.high
    sizes = high[:, 1] - low[:, 1]
    flat = (sizes < _TALL * boxes.height).tolist()
    tops, bottoms = (low[:, 1] + _CORE * sizes).tolist(), (high[:, 1] - _CORE * sizes).tolist()
    rows: list[list[int]] = []
    bottom = -math.inf
    for line in sorted((each for each in lines if flat[each]), key=tops.__getitem__):
        if tops[line] < bottom:
            rows[-1].append(line)
        else:
            rows.append([line])
        bottom = max(bottom, bottoms[line])
    return [
        Row(_texts(boxes, row), float(low[row, 1].min()), float(high[row, 1].max())) for row in rows
    ]


def _texts(boxes: Boxes, row: list[int]) -> tuple[Text, ...]:
    """Return the texts of a row."""
    texts: list[Text] = []
    for line in sorted(row, key=lambda each: boxes.low[each, 0]):
        left, right = float(boxes.low[line, 0]), float(boxes.high[line, 0])
        if texts and left - texts[-1].right < _WORD_GAP * boxes.height:
            last = texts.pop()
            texts.append(Text((*last.lines, line), last.left, max(last.right, right)))
        else:
            texts.append(Text((line,), left, right))
    return tuple(texts)
