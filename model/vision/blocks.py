"""The blocks of a page: lines that are read together, and the cells of those that are tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from model.table_cell import Cell
from model.vision.polygon import Polygon

Kind = Literal["text", "table"]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a column or a table: its lines' indices in reading order, and its box.

    The polygon is 4 x 2, clockwise from the top left of the upright block. Only a table has cells;
    its lines are in the order of its rows, and in a row in the order of its cells.
    """

    kind: Kind
    lines: tuple[int, ...]
    polygon: Polygon
    cells: tuple[Cell, ...]


def moved(block: Block, places: Mapping[int, int] | Sequence[int]) -> Block:
    """Return a block of lines that have other places: line i is now at `places[i]`."""

    def new(lines: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(places[line] for line in lines)

    # Without `replace`, which is slower: there may be thousands of cells.
    cells = tuple(
        Cell(each.row, each.column, each.row_span, each.column_span, new(each.lines))
        for each in block.cells
    )
    return replace(block, lines=new(block.lines), cells=cells)
