"""The grid of a ruled table: rules that cross, and the cells between them."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.polygon import Numbers
from model.vision.tables.boxes import Boxes
from model.vision.tables.rules import Rules

# In heights of a text box.
_TOUCH = 0.6  # between the end of a rule and the rule that it meets
_SAME = 0.75  # between the two strokes of a double rule, or the pieces of a broken one
_OPEN = 1.5  # a table without a rule at its side reaches further than its last rule
_REACH = (0.6, 0.35)  # of a line over a rule, in x and y
_COVERED = 0.5  # share of a cell's side that has a rule
_SAMPLES = 9  # places where a side is looked at
_TWO = 2  # edges have one row or column between them
_MAX_CELLS = 10_000  # of a grid

Sides = npt.NDArray[np.bool_]
Regions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid, in levelled px: the edges of its rows and columns, and the cells.

    `cells`, rows x columns, has the same number where a merged cell covers several places.
    """

    rows: Numbers
    columns: Numbers
    cells: Regions


def ruled_grids(rules: Rules, boxes: Boxes) -> Iterator[Grid]:
    """Yield the grids of a page: two columns or more, one row or more.

    A line that reaches over a rule makes one cell of the two.
    """
    height = boxes.height
    for across, down in _crossing(rules, _TOUCH * height):
        row_rules = _merged(rules.horizontal[across], _SAME * height)
        column_rules = _merged(rules.vertical[down], _SAME * height)
        row_rules = _joined(row_rules, _positions(column_rules), _TOUCH * height)
        column_rules = _joined(column_rules, _positions(row_rules), _TOUCH * height)
        rows, columns = _positions(row_rules), _positions(column_rules)
        if len(rows) < _TWO or len(columns) < _TWO:
            continue
        rows = _with_open_sides(rows, np.concatenate(column_rules), _OPEN * height)
        columns = _with_open_sides(columns, np.concatenate(row_rules), _OPEN * height)
        if len(rows) < _TWO or len(columns) <= _TWO or len(rows) * len(columns) > _MAX_CELLS:
            continue
        above = _sides(rows[1:-1], columns, row_rules, _SAME * height)
        left = _sides(columns[1:-1], rows, column_rules, _SAME * height).T
        _open(left, rows, columns, boxes, 0)
        _open(above.T, columns, rows, boxes, 1)
        yield Grid(rows, columns, rectangles(_regions(above, left)))


def _crossing(rules: Rules, touch: float) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the indices of horizontal and vertical rules that meet each other, by table."""
    across, down = rules.horizontal[:, :, None], rules.vertical.T[:, None, :]
    meets = (
        (across[:, 1] - touch <= down[0])
        & (down[0] <= across[:, 2] + touch)
        & (down[1] - touch <= across[:, 0])
        & (across[:, 0] <= down[2] + touch)
    )
    left = set(range(len(meets)))
    while left:
        rows, columns, waiting = set[int](), set[int](), [left.pop()]
        while waiting:
            row = waiting.pop()
            rows.add(row)
            found = set(np.flatnonzero(meets[row]).tolist()) - columns
            columns |= found
            others = {int(i) for column in found for i in np.flatnonzero(meets[:, column])} - rows
            waiting.extend(others & left)
            left -= others
        if columns:
            yield sorted(rows), sorted(columns)


def _merged(rules: Numbers, same: float) -> list[Numbers]:
    """Return the rules, N x 3, in groups of nearly one position."""
    rules = rules[np.argsort(rules[:, 0])]
    return np.split(rules, np.flatnonzero(np.diff(rules[:, 0]) > same) + 1)


def _positions(groups: list[Numbers]) -> Numbers:
    """Return the mean position of each group of rules."""
    return np.array([np.average(g[:, 0], weights=g[:, 2] - g[:, 1]) for g in groups])


def _joined(groups: list[Numbers], crossing: Numbers, touch: float) -> list[Numbers]:
    """Return the groups that meet two crossing rules; the arc of a seal meets one."""

    def meets(group: Numbers) -> int:
        begin, end = group[:, 1, None] - touch, group[:, 2, None] + touch
        return int(((begin <= crossing) & (crossing <= end)).any(0).sum())

    return [group for group in groups if meets(group) > 1]


def _with_open_sides(edges: Numbers, crossing: Numbers, margin: float) -> Numbers:
    """Return the edges, and those of a side that the crossing rules reach without a rule there."""
    first, last = float(crossing[:, 1].min()), float(crossing[:, 2].max())
    before = [first] if first < edges[0] - margin else []
    after = [last] if last > edges[-1] + margin else []
    return np.concatenate([before, edges, after])


def _sides(inner: Numbers, crossing: Numbers, groups: list[Numbers], slack: float) -> Sides:
    """Return whether there is a rule at each inner edge between two crossing ones."""
    shares = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    samples = crossing[:-1, None] + np.diff(crossing)[:, None] * shares  # N x samples
    sides = np.zeros((len(inner), len(crossing) - 1), bool)
    for group in groups:
        for index in np.flatnonzero(np.abs(inner - group[:, 0].mean()) <= slack):
            begin, end = group[:, 1], group[:, 2]
            covered = ((begin <= samples[..., None]) & (samples[..., None] <= end)).any(-1)
            sides[index] |= covered.mean(-1) >= _COVERED
    return sides


def _open(sides: Sides, along: Numbers, across: Numbers, boxes: Boxes, axis: int) -> None:
    """Remove the sides, `along` x `across`, that a box reaches over."""
    reach = _REACH[axis] * boxes.height
    first = np.searchsorted(across, boxes.low[:, axis] + reach)
    last = np.searchsorted(across, boxes.high[:, axis] - reach)
    place = np.searchsorted(along, boxes.middle[:, 1 - axis]) - 1
    for index in np.flatnonzero((first < last) & (place >= 0) & (place < len(along) - 1)):
        sides[place[index], max(0, first[index] - 1) : last[index] - 1] = False


def _regions(above: Sides, left: Sides) -> Regions:
    """Return a number for each cell of a grid; cells without a rule between them share one."""
    rows, columns = left.shape[0], above.shape[1]
    # An image with a pixel for each cell and, between two cells, one for the way to the next.
    ways = np.zeros((2 * rows - 1, 2 * columns - 1), np.uint8)
    ways[::2, ::2] = 1
    ways[1::2, ::2] = ~above
    ways[::2, 1::2] = ~left
    numbers = cv2.connectedComponents(ways, connectivity=4)[1]
    return numbers[::2, ::2].astype(np.int64)


def rectangles(cells: Regions) -> Regions:
    """Return the cells with those of another shape than a rectangle divided into rectangles."""
    result = cells.copy()
    free = int(cells.max()) + 1
    numbers, sizes = np.unique(cells, return_counts=True)
    for number in numbers[sizes > _TWO]:
        where = cells == number
        rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
        if where.sum() == (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1):
            continue
        above = np.zeros(where.shape[1], bool)
        for row in rows:
            # A row of the same columns as the one above it belongs to the same rectangles.
            if not (where[row] == above).all():
                starts = np.flatnonzero(np.diff(where[row].astype(int), prepend=0) == 1)
                names = free + np.searchsorted(starts, np.arange(where.shape[1]), side="right")
                free += len(starts) + 1
                above = where[row]
            result[row] = np.where(where[row], names, result[row])
    return result
