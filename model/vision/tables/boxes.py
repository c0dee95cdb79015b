"""The text boxes of a page, levelled, and the rows that some of them form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from model.vision.polygon import Numbers, Polygon

_SAME_ROW = 0.5  # distance between the middles of two boxes of one row, in heights
# A paragraph fills its column, in most lines, and is wider than most cells.
_FULL = 0.75  # share of the column's width
_WIDE = 7.0  # in heights


@dataclass(frozen=True, slots=True)
class Boxes:
    """The corners of levelled boxes, `low` and `high` N x 2, and the usual height of one."""

    low: Numbers
    high: Numbers
    height: float

    @property
    def middle(self) -> Numbers:
        """The middles of the boxes, N x 2."""
        return (self.low + self.high) / 2

    def rows(self, lines: Iterable[int]) -> list[list[int]]:
        """Return the lines by row, from the top, each row from left to right."""
        chosen = list(lines)
        low, high = self.low[chosen], self.high[chosen]
        middle = dict(zip(chosen, ((low[:, 1] + high[:, 1]) / 2).tolist(), strict=True))
        left = dict(zip(chosen, low[:, 0].tolist(), strict=True))
        rows: list[list[int]] = []
        for line in sorted(chosen, key=middle.__getitem__):
            if rows and middle[line] - middle[rows[-1][-1]] < _SAME_ROW * self.height:
                rows[-1].append(line)
            else:
                rows.append([line])
        return [sorted(row, key=left.__getitem__) for row in rows]

    def in_order(self, lines: Sequence[int]) -> tuple[int, ...]:
        """Return the lines of a cell in reading order."""
        if len(lines) == 1:
            return tuple(lines)  # as most cells are
        return tuple(line for row in self.rows(lines) for line in row)

    def is_prose(self, columns: Iterable[Sequence[int]]) -> bool:
        """Return whether two columns or more, or most of them, are paragraphs."""
        full, count = 0, 0
        for lines in columns:
            if not lines:
                continue
            low, high = self.low[list(lines), 0], self.high[list(lines), 0]
            width = float(np.median(high - low))
            count += 1
            filled = width > _FULL * (high.max() - low.min()) and width > _WIDE * self.height
            full += filled and len(lines) > 2  # noqa: PLR2004
        return full > 1 or 2 * full > count


def boxes_of(polygons: Sequence[Polygon], level: Numbers) -> Boxes:
    """Return the boxes of polygons, 4 x 2 each, on the page levelled by a 2 x 2 matrix."""
    points = np.stack(polygons).astype(np.float64) @ level
    low, high = points.min(axis=1), points.max(axis=1)
    # Boxes of a page one pixel wide are flat.
    return Boxes(low, high, max(1.0, float(np.median(high[:, 1] - low[:, 1]))))
