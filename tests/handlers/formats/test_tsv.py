"""TSV: what Tesseract's own readers make of it."""

import csv
import io
import warnings
from typing import Any

import pytest

from tests.handlers.formats.pages import NASTY, full_page, line_of, page_of, written

COLUMNS = [
    *("level", "page_num", "block_num", "par_num", "line_num", "word_num"),
    *("left", "top", "width", "height", "conf", "text"),
]


@pytest.fixture(scope="module")
def readers() -> Any:
    """Return pandas and pytesseract, whose imports warn of nothing that is ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas  # noqa: ICN001, PLC0415
        from pytesseract import pytesseract  # noqa: PLC0415
    return pandas, pytesseract


def test_pandas_reads_it(readers: Any) -> None:
    """With the options that pytesseract passes: every row, every column, numbers as numbers."""
    pandas, _ = readers
    table = pandas.read_csv(
        io.StringIO(written("tsv", full_page())),
        quoting=csv.QUOTE_NONE,
        sep="\t",
        keep_default_na=False,
    )
    assert list(table.columns) == COLUMNS
    words = table[table.level == 5]
    assert set(words.conf) == {75.0}
    assert set(table[table.level != 5].conf) == {-1.0}
    assert [*words.text][:2] == ["Harbour", "Cafe"]
    assert {"NA", "null", "1e5", '"quoted'} <= set(words.text)
    assert table.left.dtype.kind == "i"
    assert (table[["left", "top", "width", "height"]] >= 0).all(axis=None)
    assert (table.left + table.width <= 1000).all()
    assert (table.top + table.height <= 800).all()


def test_pytesseract_reads_it(readers: Any) -> None:
    """Its own parser, by which Output.DICT is made."""
    _, pytesseract = readers
    table = pytesseract.file_to_dict(written("tsv", full_page()), "\t", -1)
    assert list(table) == COLUMNS
    assert len({len(column) for column in table.values()}) == 1
    assert [t for t, level in zip(table["text"], table["level"], strict=True) if level == 5][
        :7
    ] == [
        *("Harbour", "Cafe"),
        *"海风咖啡馆",
    ]
    assert set(table["conf"]) == {-1, 75}


def _rows(text: str) -> list[list[str]]:
    head, *rows = text.splitlines()
    assert head.split("\t") == COLUMNS
    return [row.split("\t") for row in rows]


def test_the_rows_of_a_page() -> None:
    """Page, block, paragraph, line, words; a number is 0 from the row's own level down."""
    rows = _rows(written("tsv", page_of([line_of("one two", 10, 30)])))
    assert rows == [
        ["1", "1", "0", "0", "0", "0", "0", "0", "1000", "800", "-1", ""],
        ["2", "1", "1", "0", "0", "0", "10", "30", "70", "20", "-1", ""],
        ["3", "1", "1", "1", "0", "0", "10", "30", "70", "20", "-1", ""],
        ["4", "1", "1", "1", "1", "0", "10", "30", "70", "20", "-1", ""],
        ["5", "1", "1", "1", "1", "1", "10", "30", "30", "16", "75.00", "one"],
        ["5", "1", "1", "1", "1", "2", "50", "30", "30", "16", "75.00", "two"],
    ]


def test_cells_are_paragraphs() -> None:
    """The lines of two cells are never of one paragraph."""
    cells = [row for row in _rows(written("tsv", full_page())) if row[2] == "3" and row[0] == "5"]
    assert [(row[3], row[4], row[11]) for row in cells] == [
        ("1", "1", "a"),
        ("2", "1", "b"),
        ("3", "1", "c"),
        ("3", "2", "d"),
        ("4", "1", "e"),
    ]


def test_a_blank_line_has_no_words() -> None:
    """Its place is there."""
    rows = _rows(written("tsv", page_of([line_of(None, 10, 40)])))
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]


def test_an_empty_page_is_one_row() -> None:
    """As Tesseract writes it."""
    assert [row[0] for row in _rows(written("tsv", page_of()))] == ["1"]


def test_pages_have_the_numbers_of_their_document() -> None:
    """The header is there once; with several files they are counted through all of them."""
    pages = [page_of(number=3), page_of(number=7)]
    assert [row[1] for row in _rows(written("tsv", *pages))] == ["3", "7"]
    several = [(1, page_of(number=1)), (1, page_of(number=2)), (2, page_of(number=1))]
    assert [row[1] for row in _rows(written("tsv", *several))] == ["1", "2", "3"]


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\r\nb", "a\u2028b", NASTY])
def test_a_text_stays_in_its_cell(text: str) -> None:
    """Whatever is in it."""
    page = page_of([line_of("x")])
    (line,) = page.lines
    line = type(line)(text, 0.5, line.polygon, (type(line.words[0])(text, line.polygon, 0.5),))
    rows = _rows(written("tsv", type(page)(**{**_fields(page), "lines": (line,)})))
    assert all(len(row) == 12 for row in rows)
    assert len(rows) == 5


def _fields(page: Any) -> dict[str, Any]:
    return {name: getattr(page, name) for name in page.__dataclass_fields__}
