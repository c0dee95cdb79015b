"""The cells of a ruled table: which lines are between its rules."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from model.table_cell import Cell
from model.vision.tables.boxes import Boxes
from model.vision.tables.grid import Grid
from model.vision.tables.joined import joined_rows

# A row between two rules is several rows of text if most of its cells have a line in most of them;
# if its cells have several lines each, some have fewer.
_MOST_CELLS, _MOST_ROWS = 0.75, 0.6
_FEW_CELLS = 3  # with fewer, it is one row
_NO_RULES = np.empty((0, 3))
_MAX_LINES = 6  # in the average cell; more is a page with frames


def ruled_cells(grid: Grid, boxes: Boxes, lines: Iterable[int]) -> list[Cell]:
    """Return the cells with text of a ruled table; none if it isn't one."""
    row = np.searchsorted(grid.rows, boxes.middle[:, 1]) - 1
    column = np.searchsorted(grid.columns, boxes.middle[:, 0]) - 1
    height, width = grid.cells.shape
    inside: dict[int, list[int]] = {}
    for line in lines:
        if 0 <= row[line] < height and 0 <= column[line] < width:
            inside.setdefault(int(grid.cells[row[line], column[line]]), []).append(line)
    cells = []
    for number, found in inside.items():
        rows, columns = np.nonzero(grid.cells == number)
        first, left = int(rows.min()), int(columns.min())
        spans = int(rows.max()) - first + 1, int(columns.max()) - left + 1
        cells.append(Cell(first, left, *spans, boxes.in_order(found)))
    for band in range(height - 1, -1, -1):
        cells = _divided(cells, band, boxes)
    cells.sort(key=lambda cell: (cell.row, cell.column))
    return cells if _is_table(cells) else []


def _several_rows(cells: Sequence[Cell]) -> bool:
    """Return whether the cells between two rules, in rows of text, are several rows."""
    rows = max((cell.row for cell in cells), default=0) + 1
    counts = Counter(cell.column for cell in cells)
    if rows < 2 or len(counts) < _FEW_CELLS:  # noqa: PLR2004
        return False
    if rows == 2:  # noqa: PLR2004
        return min(counts.values()) == rows
    full = sum(count >= _MOST_ROWS * rows for count in counts.values())
    return full >= _MOST_CELLS * len(counts)


def _divided(cells: list[Cell], band: int, boxes: Boxes) -> list[Cell]:
    """Return the cells after dividing a row between two rules, if it holds several."""
    here = [cell for cell in cells if cell.row == band and cell.row_span == 1]
    if len(here) < _FEW_CELLS or boxes.is_prose([cell.lines for cell in here]):
        return cells
    parts = joined_rows(_lines_of(here, boxes), boxes, _NO_RULES)
    if not _several_rows(parts):
        return cells
    more = parts[-1].row
    result = [replace(part, row=band + part.row) for part in parts]
    for cell in cells:
        if cell.row > band:
            result.append(replace(cell, row=cell.row + more))
        elif cell.row + cell.row_span <= band:
            result.append(cell)
        elif cell.row_span > 1:
            result.append(replace(cell, row_span=cell.row_span + more))
    return result


def _lines_of(cells: list[Cell], boxes: Boxes) -> list[Cell]:
    """Return the lines of cells, of one row each, by rows of text."""
    rows = boxes.rows(line for cell in cells for line in cell.lines)
    parts = []
    for number, row in enumerate(rows):
        for cell in sorted(cells, key=lambda each: each.column):
            lines = tuple(line for line in row if line in cell.lines)
            if lines:
                parts.append(replace(cell, row=number, lines=lines))
    return parts


def _is_table(cells: list[Cell]) -> bool:
    """Return whether cells are in rows and columns, two or more of each, and have few lines."""
    lines = sum(len(cell.lines) for cell in cells)
    rows, columns = {cell.row for cell in cells}, {cell.column for cell in cells}
    return min(len(rows), len(columns)) > 1 and lines <= _MAX_LINES * len(cells)
