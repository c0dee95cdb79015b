"""Tab-separated values: the twelve columns of Tesseract's TSV."""

from collections.abc import Iterator

from handlers.formats.format import Format, ResponseInfo, Writer
from handlers.writing.blocks import paragraphs_of
from handlers.writing.geometry import Box, box_of, lines_box
from handlers.writing.page_numbers import PageNumbers
from model.reader import Page, WordMode

_COLUMNS = (
    *("level", "page_num", "block_num", "par_num", "line_num", "word_num"),
    *("left", "top", "width", "height", "conf", "text"),
)
_NO_WORD = "-1"
_LEVELS = 5  # page, block, paragraph, line, word


class TsvWriter(Writer):
    """Writes a row for each page, block, paragraph, line and word."""

    def __init__(self, info: ResponseInfo) -> None:
        self._numbers = PageNumbers(info)
        self._header = "\t".join(_COLUMNS) + "\n"

    def page(self, _upload: int, page: Page) -> bytes:
        """Return the rows of a page, the first time below the header."""
        rows = self._header + "".join(_rows(page, self._numbers.next(page)))
        self._header = ""
        return rows.encode()


def _rows(page: Page, number: int) -> Iterator[str]:
    yield _row((number,), Box(0, 0, page.width, page.height))
    for block_number, block in enumerate(page.blocks, 1):
        place = (number, block_number)
        yield _row(place, lines_box(page, block.lines))
        for paragraph_number, lines in enumerate(paragraphs_of(block), 1):
            yield from _paragraph_rows(page, (*place, paragraph_number), lines)


def _paragraph_rows(page: Page, place: tuple[int, ...], lines: tuple[int, ...]) -> Iterator[str]:
    yield _row(place, lines_box(page, lines))
    for line_number, index in enumerate(lines, 1):
        line = page.lines[index]
        yield _row((*place, line_number), box_of([line.polygon], page))
        for word_number, word in enumerate(line.words, 1):
            confidence = f"{word.confidence * 100:.2f}"
            box = box_of([word.polygon], page)
            yield _row((*place, line_number, word_number), box, confidence, word.text)


def _row(place: tuple[int, ...], box: Box, confidence: str = _NO_WORD, text: str = "") -> str:
    """Return a row; a place has the numbers of the page, block, paragraph, line and word."""
    numbers = "\t".join(map(str, (len(place), *place))) + "\t0" * (_LEVELS - len(place))
    left, top, right, bottom = box
    one_cell = " ".join(text.split())
    return f"{numbers}\t{left}\t{top}\t{right - left}\t{bottom - top}\t{confidence}\t{one_cell}\n"


FORMAT = Format(
    name="tsv",
    media_type="text/tab-separated-values",
    extension="tsv",
    title=("TSV", "TSV"),
    description=(
        "A table of all words with their boxes and confidences, as Tesseract writes it.",
        "所有单词及其位置和置信度的表格，与 Tesseract 的输出相同。",
    ),
    writer=TsvWriter,
    words=WordMode.WORD,
)
