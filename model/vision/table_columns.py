"""Tables without vertical rules: rows of boxes that keep the same columns."""

from collections.abc import Iterable, Iterator

import numpy as np

from model.vision.blocks import Cell
from model.vision.polygon import Numbers
from model.vision.table_boxes import Boxes
from model.vision.table_joined import joined_rows
from model.vision.table_rows import Row, Text, page_rows

# In heights of a text box.
_BIN = 0.25  # the page's width is divided into steps of this
_ROW_GAP = 2.5  # white space between two rows of a table
_RULE_GAP = 1.5  # white space between a row and the rules above and below it
_ALIGNED = 0.8  # of a text with its column, at the left, the right or in the middle
_INTO = 0.25  # what a text shares with a column that it covers
_SINGLE_GAP = 0.2  # white space between a row and a single text of an empty column
_SHORT = 4.5  # most cells of one column at least; paragraphs and addresses are longer
_FEW = 0.1  # share of the rows that may reach over a gap between columns
_COLUMNS, _RULED_COLUMNS = 3, 2
_MIN_ROWS, _MIN_CELLS, _OCCUPIED = 2, 8, 0.6
_PAUSE = 3  # rows with fewer columns inside a table

Column = tuple[float, float]  # where it begins and ends


def aligned_cells(boxes: Boxes, lines: Iterable[int], horizontal: Numbers) -> Iterator[list[Cell]]:
    """Yield the cells of each table that the lines form; `horizontal` are the page's rules."""
    height = boxes.height
    rows = page_rows(boxes, lines)
    start = 0
    while start < len(rows):
        end, columns = _run(rows, start, horizontal, height)
        if end - start > 1:
            ruled = _ruled(rows[start], horizontal, height)
            first = start
            while first and _fits(rows[first - 1], rows[first], columns, height):
                first -= 1
            while end < len(rows) and _fits(rows[end], rows[end - 1], columns, height):
                end += 1
            cells = joined_rows(_cells(rows[first:end], columns, boxes), boxes, horizontal)
            if _is_table(cells, columns, boxes, ruled=ruled):
                yield cells
        start = max(end, start + 1)


def _ruled(row: Row, horizontal: Numbers, height: float) -> bool:
    """Return whether there are rules, as wide as a row, close above and below it."""
    left, right = row.texts[0].left, row.texts[-1].right
    covering = horizontal[(horizontal[:, 1] <= left + 1) & (horizontal[:, 2] >= right - 1), 0]
    middle, reach = (row.top + row.bottom) / 2, (row.bottom - row.top) / 2 + _RULE_GAP * height
    offset = covering[np.abs(covering - middle) < reach] - middle
    return bool((offset < 0).any() and (offset > 0).any())


def _run(
    rows: list[Row], start: int, horizontal: Numbers, height: float
) -> tuple[int, list[Column]]:
    """Return the end of the rows from `start` that keep the same columns, and these columns."""
    columns: list[Column] = []
    end, seeds, texts = start, 0, list[Text]()
    for index in range(start, len(rows)):
        row = rows[index]
        near = index == start or row.top - rows[index - 1].bottom < _ROW_GAP * height
        if not near or index - end > _PAUSE:
            break
        least = _RULED_COLUMNS if _ruled(row, horizontal, height) else _COLUMNS
        if len(row.texts) < least:
            if index == start:
                break
            continue
        seeds += 1
        wider = _columns([*texts, *row.texts], int(_FEW * seeds), height)
        if len(wider) < max(least, len(columns)) or _in_one_column(row, wider, height):
            break
        columns, end = wider, index + 1
        texts.extend(row.texts)
    return end, columns


def _columns(texts: list[Text], few: int, height: float) -> list[Column]:
    """Return the columns that texts form: where more than a `few` of them are."""
    origin = min(text.left for text in texts)
    step = _BIN * height
    places = np.array([(text.left, text.right) for text in texts])
    bins = np.rint((places - origin) / step).astype(int)
    changes = np.zeros(bins.max() + 2, int)
    np.add.at(changes, bins[:, 0], 1)
    np.add.at(changes, bins[:, 1], -1)
    used = np.diff((np.cumsum(changes) > few).astype(int), prepend=0)
    starts, ends = np.flatnonzero(used == 1), np.flatnonzero(used == -1)
    return [(origin + a * step, origin + b * step) for a, b in zip(starts, ends, strict=True)]


def _in_one_column(row: Row, columns: list[Column], height: float) -> bool:
    """Return whether two texts of a row are in the same column."""
    places = [_place(text, columns, height)[0] for text in row.texts]
    return len(set(places)) < len(places)


def _place(text: Text, columns: list[Column], height: float) -> tuple[int, int]:
    """Return a text's first column, and how many it covers."""
    edges = np.array(columns)
    shared = np.minimum(edges[:, 1], text.right) - np.maximum(edges[:, 0], text.left)
    least = np.minimum(edges[:, 1] - edges[:, 0], text.right - text.left) / 2
    covered = np.flatnonzero(shared > np.minimum(least, _INTO * height))
    if not covered.size:
        return int(shared.argmax()), 1
    return int(covered[0]), int(covered[-1] - covered[0]) + 1


def _fits(row: Row, near: Row, columns: list[Column], height: float) -> bool:
    """Return whether a row above or below a table is one of its rows, with fewer columns."""
    gap = max(row.top - near.bottom, near.top - row.bottom)
    single = len(row.texts) < _RULED_COLUMNS
    if gap > (_SINGLE_GAP if single else _ROW_GAP / 2) * height:
        return False
    taken = {_place(text, columns, height)[0] for text in near.texts}
    if single and not taken.isdisjoint({_place(row.texts[0], columns, height)[0]}):
        return False
    for text in row.texts:
        first, count = _place(text, columns, height)
        left, right = columns[first][0], columns[first + count - 1][1]
        middle = abs(text.left + text.right - left - right) / 2
        slack = _ALIGNED * height * count
        inside = text.left > left - slack and text.right < right + slack
        if not inside or min(abs(text.left - left), abs(text.right - right), middle) > slack:
            return False
    return not _in_one_column(row, columns, height)


def _cells(rows: list[Row], columns: list[Column], boxes: Boxes) -> list[Cell]:
    """Return the cells of the rows of a table."""
    cells = []
    for number, row in enumerate(rows):
        at: dict[int, list[int]] = {}
        spans: dict[int, int] = {}
        for text in row.texts:
            first, count = _place(text, columns, boxes.height)
            at.setdefault(first, []).extend(text.lines)
            spans[first] = max(spans.get(first, 1), count)
        starts = sorted(at)
        for first, after in zip(starts, [*starts[1:], len(columns)], strict=True):
            span = min(spans[first], after - first)
            cells.append(Cell(number, first, 1, span, boxes.in_order(at[first])))
    return cells


def _is_table(cells: list[Cell], columns: list[Column], boxes: Boxes, *, ruled: bool) -> bool:
    """Return whether cells are a table: enough of them, and neither paragraphs nor addresses."""
    rows = max(cell.row for cell in cells) + 1
    least = _RULED_COLUMNS if ruled else _COLUMNS
    places = rows * len(columns)
    if len(columns) < least or rows < _MIN_ROWS or places < _MIN_CELLS:
        return False
    if sum(cell.column_span for cell in cells) < _OCCUPIED * places:
        return False
    lines = [
        [
            line
            for cell in cells
            if cell.column == column and cell.column_span == 1
            for line in cell.lines
        ]
        for column in range(len(columns))
    ]
    if boxes.is_prose(lines):
        return False
    widths = [np.median(boxes.high[each, 0] - boxes.low[each, 0]) for each in lines if each]
    return ruled or bool(min(widths) < _SHORT * boxes.height)
