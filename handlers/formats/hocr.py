"""HOCR: XHTML with the places of blocks, lines and words; version 1.2 of its specification."""

import math
from collections.abc import Iterator, Sequence

from handlers.formats.format import Format
from handlers.writing.blocks import PlacedCell, Position, Row, paragraphs_of, rows_of
from handlers.writing.geometry import (
    Box,
    angle_of,
    baseline_of,
    box_of,
    is_column,
    is_turned,
    lines_box,
)
from handlers.writing.language import language_of
from handlers.writing.xml_text import xml_text
from handlers.writing.xml_writer import XmlWriter
from model.reader import Block, Line, Page, WordMode

_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" \
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<title>OCR</title>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8"/>
<meta name="ocr-system" content="Sealed OCR {model}"/>
<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_table ocr_par ocr_line ocrx_word \
ocrp_lang ocrp_wconf"/>
<meta name="ocr-langs" content="zh en"/>
</head>
<body>
"""
_END = "</body>\n</html>\n"


class HocrWriter(XmlWriter):
    """Writes a document with a page for each page."""

    head = _HEAD
    foot = _END

    def parts(self, page: Page, number: int, place: int) -> Iterator[str]:
        """Yield the page's elements; its place is in their ids, which are unique."""
        return _PageMarkup(page, place).parts(number)


class _PageMarkup:
    """The elements of one page. Its place in the document is in their ids, which are unique."""

    def __init__(self, page: Page, place: int) -> None:
        self._page = page
        self._place = place
        self._paragraphs = 0

    def parts(self, number: int) -> Iterator[str]:
        """Yield the page, whose number in its document this is, in parts."""
        whole = Box(0, 0, self._page.width, self._page.height)
        dpi = round(self._page.dpi)
        title = f"{_bbox(whole)}; ppageno {number - 1}; scan_res {dpi} {dpi}"
        yield f'<div class="ocr_page" id="page_{self._place}" title="{title}">\n'
        for index, block in enumerate(self._page.blocks, 1):
            box = _bbox(lines_box(self._page, block.lines))
            yield f'<div class="ocr_carea" id="block_{self._place}_{index}" title="{box}">\n'
            rows = rows_of(block.cells) if block.cells else None
            yield from self._paragraphs_of(block) if rows is None else self._table(rows, box)
            yield "</div>\n"
        yield "</div>\n"

    def _table(self, rows: Sequence[Row], box: str) -> Iterator[str]:
        yield f'<table class="ocr_table" title="{box}">\n'
        for row in rows:
            yield "<tr>\n"
            for cell in row:
                if isinstance(cell, PlacedCell):
                    yield f"<td{_spans(cell)}>"
                    yield from self._paragraph(cell.lines)
                    yield "</td>\n"
                elif cell is Position.EMPTY:
                    yield "<td></td>\n"
            yield "</tr>\n"
        yield "</table>\n"

    def _paragraphs_of(self, block: Block) -> Iterator[str]:
        for lines in paragraphs_of(block):
            yield from self._paragraph(lines)

    def _paragraph(self, lines: Sequence[int]) -> Iterator[str]:
        self._paragraphs += 1
        name = f"par_{self._place}_{self._paragraphs}"
        box = _bbox(lines_box(self._page, lines))
        yield f'<p class="ocr_par" id="{name}" title="{box}">\n'
        for index in lines:
            yield from self._line(self._page.lines[index], f"{self._place}_{index + 1}")
        yield "</p>\n"

    def _line(self, line: Line, name: str) -> Iterator[str]:
        """Yield a line and its words. There is white space between those that it has a space."""
        box = box_of([line.polygon], self._page)
        language = language_of(line.text or "")
        lang = f' lang="{language}" xml:lang="{language}"' if language else ""
        title = _bbox(box) + _direction(line, box)
        yield f'<span class="ocr_line" id="line_{name}" title="{title}"{lang}>'
        for number, (word, has_space) in enumerate(line.spaced_words(), 1):
            place = f"{_bbox(box_of([word.polygon], self._page))}; x_wconf "
            place += str(round(word.confidence * 100))
            yield f'<span class="ocrx_word" id="word_{name}_{number}" title="{place}">'
            yield xml_text(word.text) + ("</span> " if has_space else "</span>")
        yield "</span>\n"


def _bbox(box: Box) -> str:
    return f"bbox {box.left} {box.top} {box.right} {box.bottom}"


def _spans(cell: PlacedCell) -> str:
    rows = f' rowspan="{cell.row_span}"' if cell.row_span > 1 else ""
    return rows + (f' colspan="{cell.column_span}"' if cell.column_span > 1 else "")


def _direction(line: Line, box: Box) -> str:
    """Return the baseline of a line, from the bottom left of its box; or how it is turned.

    Angles are counter-clockwise, the slope of a baseline is clockwise: y goes down.
    """
    if is_column(line):
        return ""
    angle = angle_of(line.polygon)
    if is_turned(line.polygon):
        return f"; textangle {-round(angle, 1) + 0.0:g}"
    (x, y), _ = baseline_of(line)
    slope = math.tan(math.radians(angle))
    offset = y + slope * (box.left - x) - box.bottom
    return f"; baseline {round(slope, 3) + 0.0:g} {round(offset, 1) + 0.0:g}"


FORMAT = Format(
    name="hocr",
    media_type="text/vnd.hocr+html",
    extension="hocr",
    title=("hOCR", "hOCR"),
    description=(
        "XHTML with the places and confidences of blocks, lines and words.",
        "带有段落、行和单词的位置与置信度的 XHTML。",
    ),
    writer=HocrWriter,
    words=WordMode.WORD,
)
