"""How Umi-OCR's parsers put the lines of a page in order, and what stands between them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from handlers.compat.boxes import rows_of
from handlers.writing.geometry import Box
from model.reader import Block, Line, Page

PARSERS: Mapping[str, str] = {
    "multi_para": "多栏-按自然段换行",
    "multi_line": "多栏-总是换行",
    "multi_none": "多栏-无换行",
    "single_para": "单栏-按自然段换行",
    "single_line": "单栏-总是换行",
    "single_none": "单栏-无换行",
    "single_code": "单栏-保留缩进",
    "none": "不做处理",
}
"""The values of `tbpu.parser`, and the titles that Umi-OCR gives them."""
CJK = ((0x1100, 0x11FF), (0x2E80, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F),
       (0xFF00, 0xFFEF), (0x20000, 0x3FFFF))  # fmt: skip
CLOSING = "',.!?;:)]}/\\"
ALIGNED = 1.2  # edges of one paragraph differ by fewer line heights
APART = 0.8  # line heights between two paragraphs

Piece = tuple[str, Line, str]
"""A text, the line that it is of, and what separates it from the next one."""


def reads_columns(parser: str) -> bool:
    """Return whether a parser reads columns one after the other."""
    return not parser.startswith("single_")


def pieces_of(page: Page, parser: str) -> list[Piece]:
    """Return the texts of a page, each with its separator: "", spaces or a line feed."""
    if parser == "single_code":
        return _code(page)
    separators = _separators(page, parser)
    return [(line.text or "", line, end) for line, end in zip(page.lines, separators, strict=True)]


def separator(before: str, after: str) -> str:
    """Return what joins two lines of a paragraph: nothing between Chinese, else a space."""
    if not before or not after:
        return ""
    if before[-1] == "-" or after[0] in CLOSING or (_is_cjk(before[-1]) and _is_cjk(after[0])):
        return ""
    return " "


def _is_cjk(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in CJK)


def _separators(page: Page, parser: str) -> list[str]:
    lines = page.lines
    if parser in {"multi_line", "none"}:
        return ["\n"] * len(lines)
    joins = [separator(before.text or "", after.text or "") for before, after in pairwise(lines)]
    if parser.endswith("_none"):
        ends = set()
    elif parser == "multi_para":
        ends = {end for block in page.blocks for end in _ends(block)}
    else:
        ends = _row_ends(page, by_paragraph=parser == "single_para")
    after = [*joins, "\n"][: len(lines)]
    return ["\n" if index in ends else join for index, join in enumerate(after)]


def _ends(block: Block) -> set[int]:
    """Return the last line of a paragraph; of a table, the last one of each of its rows."""
    rows = {index: cell.row for cell in block.cells for index in cell.lines}
    last_of_row = {row: index for index, row in sorted(rows.items())}
    return {*last_of_row.values(), *block.lines[-1:]}


def _row_ends(page: Page, *, by_paragraph: bool) -> set[int]:
    """Return the last line of each row, or of each paragraph of rows."""
    rows = [[box for _, box in row] for row in rows_of(page)]
    ends, count = set(), 0
    for number, row in enumerate(rows):
        count += len(row)
        if not by_paragraph or not _continues(row, rows[number + 1 : number + 2]):
            ends.add(count - 1)
    return ends


def _continues(boxes: Sequence[Box], next_rows: Sequence[Sequence[Box]]) -> bool:
    """Return whether the next row goes on with a paragraph: the same left edge, no longer, near.

    A row of several lines is one of a table or form.
    """
    if len(boxes) > 1 or not next_rows or len(next_rows[0]) > 1:
        return False
    row, following = boxes[0], next_rows[0][0]
    return (
        abs(row.left - following.left) <= ALIGNED * row.height
        and following.right <= row.right + ALIGNED * row.height
        and following.top - row.bottom <= APART * row.height
    )


def _code(page: Page) -> list[Piece]:
    """Return the rows with their indentation: two spaces for each line height."""
    rows = rows_of(page)
    leftmost = min((row[0][1].left for row in rows), default=0)
    pieces: list[Piece] = []
    for row in rows:
        for number, (line, box) in enumerate(row):
            indent = _spaces(box.left - leftmost, box) if number == 0 else ""
            last = number + 1 == len(row)
            end = "\n" if last else _spaces(row[number + 1][1].left - box.right, box) or " "
            pieces.append((indent + (line.text or ""), line, end))
    return pieces


def _spaces(gap: float, box: Box) -> str:
    return "  " * max(0, round(gap / max(1, box.height)))
