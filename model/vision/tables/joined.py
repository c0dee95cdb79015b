"""The rows of a table whose cells have several lines."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.table_cell import Cell
from model.vision.polygon import Numbers
from model.vision.tables.boxes import Boxes

# In heights of a text box.
_BESIDE = 0.85  # between the middles of a line and of one of the two lines beside it
_NEARER = 0.25  # less white space than between rows is between the lines of a cell
_SQUEEZED = 0.3  # white space between a cell of two rows and the texts in them
_TIGHT = 0.5  # white space between the lines of a cell
_WIDE = 0.6  # of the table's width: a rule of this length is between two rows
_FEW_RULES = 2  # inside a table, with fewer of which they do not divide its rows
_FURTHER = 0.5  # of a row's columns, in which its further lines are at most
_MAX_LINES = 4  # of a row


@dataclass(frozen=True, slots=True)
class _Row:
    """The columns that a row has texts in, its middle, top and bottom, and if a rule is above."""

    columns: frozenset[int]
    middle: float
    top: float
    bottom: float
    ruled: bool


def joined_rows(cells: list[Cell], boxes: Boxes, horizontal: Numbers) -> list[Cell]:
    """Return the cells after joining the rows that are further lines of the row above.

    `horizontal` are the page's rules, N x 3, none of which is inside a row.
    """
    joins: tuple[Callable[[list[_Row], float], list[bool]], ...] = (_beside, _further, _unruled)
    rows = _rows(cells, boxes, horizontal)
    for join in joins:
        joined = join(rows, boxes.height)
        if any(joined):
            numbers = np.cumsum([0, *(not each for each in joined)]).tolist()
            cells = _renumbered(cells, numbers, boxes)
            rows = _rows(cells, boxes, horizontal)
    return _spanning(cells, rows, boxes.height)


def _rows(cells: list[Cell], boxes: Boxes, horizontal: Numbers) -> list[_Row]:
    """Return the rows of a table."""
    lines = [line for cell in cells for line in cell.lines]
    left, right = boxes.low[lines, 0].min(), boxes.high[lines, 0].max()
    shared = np.minimum(horizontal[:, 2], right) - np.maximum(horizontal[:, 1], left)
    rules = horizontal[shared > _WIDE * (right - left), 0]
    middles, tops, bottoms = (
        y.tolist() for y in (boxes.middle[:, 1], boxes.low[:, 1], boxes.high[:, 1])
    )
    rows: list[_Row] = []
    for _, row in itertools.groupby(cells, key=lambda cell: cell.row):
        here = list(row)
        lines = [line for cell in here for line in cell.lines]
        columns = {cell.column + number for cell in here for number in range(cell.column_span)}
        middle = float(np.mean([middles[line] for line in lines]))
        ruled = bool(rows and ((rows[-1].middle < rules) & (rules < middle)).any())
        top, bottom = min(tops[line] for line in lines), max(bottoms[line] for line in lines)
        rows.append(_Row(frozenset(columns), middle, top, bottom, ruled))
    return rows


def _beside(rows: list[_Row], height: float) -> list[bool]:
    """Return which rows, from the second, are lines beside the lines of the row above.

    A line in the middle of its row is at half the distance of the two lines beside it.
    """
    return [
        here.columns.isdisjoint(before.columns)
        and here.middle - before.middle < _BESIDE * height
        and not here.ruled
        for before, here in itertools.pairwise(rows)
    ]


def _further(rows: list[_Row], height: float) -> list[bool]:
    """Return which rows, from the second, are nearer to the row above than rows are."""
    gaps = [here.top - before.bottom for before, here in itertools.pairwise(rows)]
    few = [_are_few(here, before) for before, here in itertools.pairwise(rows)]
    usual = [gap for gap, each in zip(gaps, few, strict=True) if not each]
    if not usual:
        return [False] * len(gaps)
    most = min(_TIGHT * height, float(np.median(usual)) - _NEARER * height)
    return [
        each and gap < most and not here.ruled
        for each, gap, here in zip(few, gaps, rows[1:], strict=True)
    ]


def _are_few(here: _Row, before: _Row) -> bool:
    """Return whether the texts of a row may be further lines of the row above."""
    return here.columns < before.columns and len(here.columns) <= _FURTHER * len(before.columns)


def _unruled(rows: list[_Row], height: float) -> list[bool]:
    """Return which rows, from the second, are in one row between two rules with the row above."""
    joined = [False] * (len(rows) - 1)
    if sum(row.ruled for row in rows) < _FEW_RULES:
        return joined
    starts = [0, *(index for index, row in enumerate(rows) if row.ruled), len(rows)]
    for first, last in itertools.pairwise(starts):
        inside = rows[first:last]
        columns = len(frozenset[int]().union(*(row.columns for row in inside)))
        few = all(len(row.columns) <= _FURTHER * columns for row in inside[1:])
        tight = all(b.top - a.bottom < _TIGHT * height for a, b in itertools.pairwise(inside))
        if few and tight and len(inside) <= _MAX_LINES:
            joined[first : last - 1] = [True] * (last - first - 1)
    return joined


def _renumbered(cells: list[Cell], numbers: Sequence[int], boxes: Boxes) -> list[Cell]:
    """Return the cells in their new rows; those that are now one are joined."""
    joined: dict[tuple[int, int], Cell] = {}
    for cell in cells:
        key = numbers[cell.row], cell.column
        other = joined.get(key, replace(cell, row=key[0], lines=()))
        lines = boxes.in_order((*other.lines, *cell.lines))
        span = max(other.column_span, cell.column_span)
        joined[key] = replace(other, lines=lines, column_span=span)
    result = [joined[key] for key in sorted(joined)]
    for index, (cell, after) in enumerate(itertools.pairwise(result)):
        if cell.row == after.row:
            span = min(cell.column_span, after.column - cell.column)
            result[index] = replace(cell, column_span=span)
    return result


def _spanning(cells: list[Cell], rows: list[_Row], height: float) -> list[Cell]:
    """Return the cells with those of a row that is squeezed between two as parts of both.

    So stands the name of a column beside two rows of names, of groups and of columns.
    """
    squeezed: list[int] = []
    for number in range(1, len(rows) - 1):
        # Nearer to the last one, both would be parts of the row between them, and might overlap.
        apart = not squeezed or number - squeezed[-1] > 2  # noqa: PLR2004
        if apart and _is_squeezed(rows, number, height):
            squeezed.append(number)
    if not squeezed:
        return cells
    result = []
    for cell in cells:
        above = sum(number <= cell.row for number in squeezed)
        span = 2 if cell.row in squeezed else 1
        result.append(replace(cell, row=cell.row - above, row_span=span))
    return sorted(result, key=lambda cell: (cell.row, cell.column))


def _is_squeezed(rows: list[_Row], number: int, height: float) -> bool:
    """Return whether a row has other columns than both rows beside it, and hardly a gap to them."""
    above, row, below = rows[number - 1 : number + 2]
    return (
        row.columns.isdisjoint(above.columns | below.columns)
        and max(row.top - above.bottom, below.top - row.bottom) < _SQUEEZED * height
    )
