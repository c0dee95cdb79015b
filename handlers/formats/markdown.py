"""Markdown: CommonMark with the tables of GitHub Flavored Markdown."""

from collections.abc import Iterator, Sequence

from handlers.formats.format import Format, ResponseInfo, Writer
from handlers.writing.blocks import PlacedCell, Row, paragraphs_of, rows_of
from handlers.writing.headings import heading_height, is_heading
from handlers.writing.markdown_text import HARD_BREAK, escaped, escaped_inside
from handlers.writing.running_text import running_texts
from model.reader import Block, Page, WordMode

_PAGE_BREAK = "\n\n* * *\n\n"
_BLOCK_BREAK = "\n\n"
_LINE_BREAK_IN_CELL = "<br>"


class MarkdownWriter(Writer):
    """Writes paragraphs, headings and tables, with a thematic break between pages."""

    def __init__(self, _info: ResponseInfo) -> None:
        self._separator = ""

    def page(self, _upload: int, page: Page) -> bytes:
        """Return a page, after what separates it from the one before."""
        separator, self._separator = self._separator, _PAGE_BREAK
        return (separator + _BLOCK_BREAK.join(_blocks(page))).encode()

    def end(self) -> bytes:
        """Return the last line feed."""
        return b"\n"


def _blocks(page: Page) -> Iterator[str]:
    tall = heading_height(page)
    for block in page.blocks:
        rows = rows_of(block.cells) if block.cells else None
        if rows is not None:
            yield "\n".join(_table(page, rows))
        elif is_heading(page, block, tall):
            yield "## " + escaped(" ".join(_texts(page, block.lines)))
        else:
            yield from _paragraphs(page, block)


def _paragraphs(page: Page, block: Block) -> Iterator[str]:
    for lines in paragraphs_of(block):
        texts = running_texts([page.lines[index] for index in lines])
        paragraph = HARD_BREAK.join(filter(None, map(escaped, texts)))
        if paragraph:
            yield paragraph


def _table(page: Page, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the rows; the first is the header, which Markdown wants.

    Markdown has no spans: the text is in the first of the cells that a cell covers.
    """
    for number, row in enumerate(rows):
        cells = [_cell(page, cell) if isinstance(cell, PlacedCell) else "" for cell in row]
        yield "| " + " | ".join(cells) + " |"
        if number == 0:
            yield "|" + " --- |" * len(row)


def _cell(page: Page, cell: PlacedCell) -> str:
    return _LINE_BREAK_IN_CELL.join(map(escaped_inside, _texts(page, cell.lines)))


def _texts(page: Page, lines: Sequence[int]) -> list[str]:
    return [text for index in lines if (text := page.lines[index].text)]


FORMAT = Format(
    name="markdown",
    media_type="text/markdown",
    extension="md",
    title=("Markdown", "Markdown"),
    description=(
        "Paragraphs, headings and tables, for notes and language models.",
        "段落、标题和表格，适合笔记和语言模型。",
    ),
    writer=MarkdownWriter,
    words=WordMode.WORD,
)
