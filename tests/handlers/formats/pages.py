"""Pages that were read, made of texts: what formats are written of."""

import math
import re
from collections.abc import Sequence
from unicodedata import east_asian_width

from handlers.formats.format import ResponseInfo, Writer
from handlers.formats.registry import formats
from model.reader import Block, Cell, Line, Page, Word

Polygon = tuple[tuple[int, int], ...]
_WORD = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]|[^\s\u3400-\u9fff\U00020000-\U0003ffff]+")
HEIGHT = 20
NASTY = "<b>&\"'\x00\x01\ufffe]]>--><script>"
EXTENSION_B = "\U00020bb7野家"


def _advance(text: str, height: int) -> int:
    return sum(height if east_asian_width(each) in "WF" else height // 2 for each in text)


def _turned(polygon: Sequence[tuple[float, float]], degrees: float, around: Polygon) -> Polygon:
    """Return a polygon turned clockwise around the first point of another."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    (x0, y0), *_ = around
    moved = [(x - x0, y - y0) for x, y in polygon]
    return tuple((round(x0 + x * cos - y * sin), round(y0 + x * sin + y * cos)) for x, y in moved)


def _rectangle(left: int, top: int, width: int, height: int) -> Polygon:
    right, bottom = left + width, top + height
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def line_of(
    text: str | None,
    left: int = 0,
    top: int = 0,
    *,
    height: int = HEIGHT,
    degrees: float = 0,
    width: int | None = None,
) -> Line:
    """Return a line, turned clockwise around its top left; its words end 4 px above its edge."""
    level = _rectangle(left, top, width or max(1, _advance(text or "blank", height)), height)
    words = tuple(
        Word(
            match[0],
            _turned(
                _rectangle(
                    left + _advance((text or "")[: match.start()], height),
                    top,
                    _advance(match[0], height),
                    height - 4,
                ),
                degrees,
                level,
            ),
            0.75,
        )
        for match in _WORD.finditer(text or "")
    )
    return Line(text, 0.5, _turned(level, degrees, level), words)


def column_of(text: str, left: int, top: int) -> Line:
    """Return a column of upright characters."""
    words = tuple(
        Word(each, _rectangle(left, top + index * HEIGHT, HEIGHT, HEIGHT), 0.75)
        for index, each in enumerate(text)
    )
    return Line(text, 0.5, _rectangle(left, top, HEIGHT, HEIGHT * len(text)), words)


def page_of(
    *blocks: Sequence[Line], tables: Sequence[Sequence[Cell]] = (), number: int = 1
) -> Page:
    """Return a page of 1000 x 800 px; the last blocks are tables, with these cells."""
    lines: list[Line] = []
    made: list[Block] = []
    for index, block in enumerate(blocks):
        places = tuple(range(len(lines), len(lines) + len(block)))
        lines.extend(block)
        cells = (
            tuple(tables[index - len(blocks) + len(tables)])
            if index >= len(blocks) - len(tables)
            else ()
        )
        kind = "table" if cells else "text"
        made.append(Block(_rectangle(0, 0, 9, 9), places, kind, cells))
    return Page(
        number,
        of_document=True,
        lines=tuple(lines),
        blocks=tuple(made),
        width=1000,
        height=800,
        rotation=0,
        skew=0.0,
        model="det+rec",
        timing_ms={"total": 1.0},
        dpi=150.0,
        image=b"image",
    )


def full_page(number: int = 1) -> Page:
    """Return a page with all there is: turned lines, a blank one, a table with spans, bad text."""
    first = [line_of("Harbour Cafe 海风咖啡馆", 10, 10), line_of(None, 10, 40)]
    second = [
        line_of("tilted line", 300, 100, degrees=4),
        line_of("upwards", 600, 400, degrees=-90),
        line_of("over head", 900, 500, degrees=180),
        column_of("竖排文字", 800, 10),
        line_of(NASTY, 10, 200),
        line_of(f'{EXTENSION_B} NA null 1e5 "quoted', -5, 790, degrees=2),
    ]
    table = [line_of(each, 10 + 200 * (n % 3), 300 + 30 * n) for n, each in enumerate("abcde")]
    places = (
        Cell(0, 0, 2, 1, (8,)),
        Cell(0, 1, 1, 2, (9,)),
        Cell(1, 1, 1, 1, (10, 11)),
        Cell(3, 2, 1, 1, (12,)),
    )
    return page_of(first, second, table, tables=[places], number=number)


def written(name: str, *pages: Page | tuple[int, Page]) -> str:
    """Return pages, of one upload or each with the number of its own, in a format."""
    entries = [entry if isinstance(entry, tuple) else (1, entry) for entry in pages]
    info = ResponseInfo("id", uploads=max((upload for upload, _ in entries), default=1))
    made = next(each for each in formats() if each.name == name)
    writer: Writer = made.writer(info)
    parts = [writer.page(upload, page) for upload, page in entries]
    return b"".join([*parts, writer.end()]).decode()
