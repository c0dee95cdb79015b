"""Tables by geometry: cells between ruled lines, or of boxes in rows and columns."""

from collections.abc import Sequence

from model.vision.blocks import Cell
from model.vision.polygon import Polygon
from model.vision.table_boxes import level_boxes
from model.vision.table_cells import ruled_cells
from model.vision.table_columns import aligned_cells
from model.vision.table_grid import ruled_grids
from model.vision.table_rules import Rules


def find_tables(
    polygons: Sequence[Polygon], rules: Rules, quarter_turns: int = 0
) -> list[list[Cell]]:
    """Return the tables of a page, each as its cells with text, in reading order.

    The page has to be rotated by 90 degrees counter-clockwise `quarter_turns` times to be upright;
    `rules` are those of the page as it is. A line is in one cell at most.
    """
    if not polygons:
        return []
    rules = rules.turned(quarter_turns)
    boxes = level_boxes(polygons, rules.level)
    left = list(range(len(polygons)))
    tables = []
    for grid in ruled_grids(rules, boxes):
        tables.append(ruled_cells(grid, boxes, left))
        taken = {line for cell in tables[-1] for line in cell.lines}
        left = [line for line in left if line not in taken]
    tables.extend(aligned_cells(boxes, left, rules.horizontal))
    return [cells for cells in tables if cells]
