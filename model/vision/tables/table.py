"""Tables by geometry: cells between ruled lines, or of boxes in rows and columns."""

from model.table_cell import Cell
from model.vision.tables.boxes import Boxes
from model.vision.tables.cells import ruled_cells
from model.vision.tables.columns import aligned_cells
from model.vision.tables.grid import ruled_grids
from model.vision.tables.rules import Rules

Table = list[Cell]  # with text, by row and in a row by column


def find_tables(boxes: Boxes, rules: Rules) -> list[Table]:
    """Return the tables of an upright page; a line is in one cell at most."""
    left = list(range(len(boxes.low)))
    tables: list[Table] = []
    for grid in ruled_grids(rules, boxes):
        tables.append(ruled_cells(grid, boxes, left))
        taken = {line for cell in tables[-1] for line in cell.lines}
        left = [line for line in left if line not in taken]
    tables.extend(aligned_cells(boxes, left, rules.horizontal))
    return [cells for cells in tables if cells]
