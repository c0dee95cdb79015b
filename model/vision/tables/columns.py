"""Tables without vertical rules: rows of boxes that keep the same columns."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from model.table_cell import Cell
from model.vision.polygon import Numbers
from model.vision.tables.boxes import Boxes
from model.vision.tables.joined import joined_rows
from model.vision.tables.rows import Row, Text, page_rows

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
    start, free, used = 0, 0, _Used(rows, height)
    while start < len(rows):
        end, columns = _run(rows, start, horizontal, used)
        if end - start > 1:
            ruled = _ruled(rows[start], horizontal, height)
            first = start
            while first > free and _fits(rows[first - 1], rows[first], columns, height):
                if _rule_between(rows[first - 1], rows[first], horizontal):
                    break  # what is above the rule over a table's head is not its own
                first -= 1
            while end < len(rows) and _fits(rows[end], rows[end - 1], columns, height):
                end += 1
            cells = joined_rows(_cells(rows[first:end], columns, boxes), boxes, horizontal)
            if _is_table(cells, columns, boxes, ruled=ruled):
                yield cells
                free = end
        start = max(end, start + 1)


def cells_in_rows(boxes: Boxes, lines: Sequence[int]) -> list[Cell]:
    """Return the cells of lines that are known to stand in rows; none if they have no columns."""
    rows = page_rows(boxes, lines)
    parted = [row for row in rows if len(row.texts) > 1]
    if sum(len(text.lines) for row in rows for text in row.texts) < len(lines) or not parted:
        return []
    used = _Used(rows, boxes.height)
    for row in parted:
        used.add(row)
    columns = used.columns(int(_FEW * len(parted)))
    if len(columns) < _RULED_COLUMNS or any(
        _in_one_column(row, columns, boxes.height) for row in rows
    ):
        return []
    return _cells(rows, columns, boxes)


def _ruled(row: Row, horizontal: Numbers, height: float) -> bool:
    """Return whether there are rules, as wide as a row, close above and below it."""
    if not len(horizontal):
        return False
    left, right = row.texts[0].left, row.texts[-1].right
    covering = horizontal[(horizontal[:, 1] <= left + 1) & (horizontal[:, 2] >= right - 1), 0]
    middle, reach = (row.top + row.bottom) / 2, (row.bottom - row.top) / 2 + _RULE_GAP * height
    offset = covering[np.abs(covering - middle) < reach] - middle
    return bool((offset < 0).any() and (offset > 0).any())


def _rule_between(above: Row, below: Row, horizontal: Numbers) -> bool:
    """Return whether a rule as wide as both rows is between them."""
    left = min(above.texts[0].left, below.texts[0].left) + 1
    right = max(above.texts[-1].right, below.texts[-1].right) - 1
    covering = (horizontal[:, 1] <= left) & (horizontal[:, 2] >= right)
    first, last = (above.top + above.bottom) / 2, (below.top + below.bottom) / 2
    return bool((covering & (first < horizontal[:, 0]) & (horizontal[:, 0] < last)).any())


def _run(
    rows: list[Row], start: int, horizontal: Numbers, used: "_Used"
) -> tuple[int, list[Column]]:
    """Return the end of the rows from `start` that keep the same columns, and these columns."""
    columns: list[Column] = []
    end, seeds, height = start, 0, used.height
    used.clear()
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
        used.add(row)
        wider = used.columns(int(_FEW * seeds))
        if len(wider) < max(least, len(columns)) or _in_one_column(row, wider, height):
            break
        columns, end = wider, index + 1
    return end, columns


class _Used:
    """How many texts there are at each place of a page's width."""

    def __init__(self, rows: Sequence[Row], height: float) -> None:
        """Count the texts of the rows that are added, in steps that depend on a line's height."""
        self.height = height
        self._step = _BIN * height
        self._left = min((row.texts[0].left for row in rows), default=0.0)
        right = max((text.right for row in rows for text in row.texts), default=0.0)
        self._counts = np.zeros(self._place(right) + 2, int)

    def _place(self, x: float) -> int:
        return round((x - self._left) / self._step)

    def clear(self) -> None:
        """Forget all texts."""
        self._counts[:] = 0

    def add(self, row: Row) -> None:
        """Count the texts of a row."""
        for text in row.texts:
            first = self._place(text.left)
            self._counts[first : max(first + 1, self._place(text.right))] += 1

    def columns(self, few: int) -> list[Column]:
        """Return the columns: where there are more than a `few` texts."""
        edges = np.diff((self._counts > few).astype(int), prepend=0)
        starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        return [
            (self._left + first * self._step, self._left + last * self._step)
            for first, last in zip(starts.tolist(), ends.tolist(), strict=True)
        ]


def _in_one_column(row: Row, columns: list[Column], height: float) -> bool:
    """Return whether two texts of a row are in the same column."""
    places = [_place(text, columns, height)[0] for text in row.texts]
    return len(set(places)) < len(places)


def _place(text: Text, columns: list[Column], height: float) -> tuple[int, int]:
    """Return a text's first column, and how many it covers."""
    # Without numpy: it is called several times a text, and there are few columns.
    shared = [min(right, text.right) - max(left, text.left) for left, right in columns]
    most = min((text.right - text.left) / 2, _INTO * height)
    covered = [
        index
        for index, (left, right) in enumerate(columns)
        if shared[index] > min((right - left) / 2, most)
    ]
    if not covered:
        return shared.index(max(shared)), 1
    return covered[0], covered[-1] - covered[0] + 1


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
