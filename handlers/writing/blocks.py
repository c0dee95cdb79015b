"""The paragraphs of a block, and the rows of a table."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from model.reader import Block, Cell

_MOST_POSITIONS = 20_000  # a page has no larger table; an engine could have been taken over


class Position(Enum):
    """A position of a table in which no cell begins."""

    EMPTY = auto()
    COVERED = auto()


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell, and how many of the table's rows and columns it covers."""

    lines: tuple[int, ...]
    row_span: int
    column_span: int


Row = list[PlacedCell | Position]


def paragraphs_of(block: Block) -> Sequence[tuple[int, ...]]:
    """Return the lines of each paragraph: of a table each cell, of another block all lines."""
    return [cell.lines for cell in block.cells] or [block.lines]


def rows_of(cells: Sequence[Cell]) -> list[Row] | None:
    """Return the rows of a table, all of one length, or None if most of the table is empty.

    Rows and columns in which no cell begins are left out.
    """
    row_starts = sorted({cell.row for cell in cells})
    column_starts = sorted({cell.column for cell in cells})
    spans = [
        (
            _span(row_starts, cell.row, cell.row_span),
            _span(column_starts, cell.column, cell.column_span),
        )
        for cell in cells
    ]
    area = sum(len(rows) * len(columns) for rows, columns in spans)
    if max(len(row_starts) * len(column_starts), area) > _MOST_POSITIONS:
        return None
    table: list[Row] = [[Position.EMPTY] * len(column_starts) for _ in row_starts]
    for rows, columns in spans:
        for row in rows:
            table[row][columns.start : columns.stop] = [Position.COVERED] * len(columns)
    for cell, (rows, columns) in zip(cells, spans, strict=True):
        table[rows.start][columns.start] = PlacedCell(cell.lines, len(rows), len(columns))
    return table


def _span(starts: Sequence[int], first: int, length: int) -> range:
    return range(bisect_left(starts, first), bisect_left(starts, first + length))
