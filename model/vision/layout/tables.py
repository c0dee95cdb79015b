"""Tables in the layout of a page: each of their rows stands there as one line."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.table_cell import Cell
from model.vision.layout.level import LevelBoxes
from model.vision.layout.paragraphs import Paragraph
from model.vision.tables.boxes import Boxes
from model.vision.tables.columns import cells_in_rows
from model.vision.tables.table import Table

Part = tuple[tuple[int, ...], tuple[Cell, ...]]  # lines in reading order, and cells of a table


@dataclass(frozen=True, slots=True)
class Units:
    """The lines outside tables and the rows of tables, as boxes.

    `lines` has the line of each, or -1; `tables` the number of its table, or -1.
    """

    boxes: LevelBoxes
    lines: list[int]
    tables: list[int]


def with_tables_as_rows(boxes: LevelBoxes, tables: Sequence[Table]) -> Units:
    """Return the boxes of a page's lines, with one box, as wide as the table, for each row."""
    inside = {line for cells in tables for cell in cells for line in cell.lines}
    outside = [line for line in range(len(boxes)) if line not in inside]
    sides = np.stack([boxes.left, boxes.right, boxes.middle, boxes.height, boxes.slope], axis=1)
    units, numbers = [*sides[outside]], [-1] * len(outside)
    for number, cells in enumerate(tables):
        whole = sides[[line for cell in cells for line in cell.lines]]
        left, right = whole[:, 0].min(), whole[:, 1].max()
        for _, row in itertools.groupby(cells, key=lambda cell: cell.row):
            here = sides[[line for cell in row for line in cell.lines]]
            middle, height, slope = here[:, 2].mean(), np.median(here[:, 3]), here[:, 4].mean()
            units.append(np.array([left, right, middle, height, slope]))
            numbers.append(number)
    lines = [*outside, *[-1] * (len(units) - len(outside))]
    return Units(LevelBoxes(*np.stack(units, axis=1)), lines, numbers)


def parts(
    paragraphs: Iterable[Paragraph], units: Units, tables: Sequence[Table], boxes: Boxes
) -> Iterator[Part]:
    """Yield the paragraphs of a page, of units, as lines, and each table where it begins.

    Lines that only might be a table become one if each of them is in a column.
    """
    begun: set[int] = set()
    for paragraph in paragraphs:
        members = [unit for row in paragraph.rows for unit in row]
        numbers = [units.tables[unit] for unit in members]
        cells: Sequence[Cell] = ()
        if paragraph.kind == "table" and max(numbers) < 0:
            cells = cells_in_rows(boxes, [units.lines[unit] for unit in members])
        if cells:
            yield _table(cells)
            continue
        for number, group in itertools.groupby(zip(numbers, members, strict=True), _number):
            if number < 0:
                yield tuple(units.lines[unit] for _, unit in group), ()
            elif number not in begun:
                begun.add(number)
                yield _table(tables[number])


def _number(unit: tuple[int, int]) -> int:
    """Return the number of a unit's table."""
    return unit[0]


def _table(cells: Sequence[Cell]) -> Part:
    """Return the lines of a table in the order of its cells, and the cells."""
    return tuple(line for cell in cells for line in cell.lines), tuple(cells)
