"""The separators of Umi-OCR's parsers, on a page with two columns, a row and a table."""

from collections.abc import Callable

import pytest

from handlers.compat.umi_layout import PARSERS, pieces_of, separator
from model.reader import Block, Line
from model.table_cell import Cell
from tests.handlers.compat.conftest import line, page, polygon

Point = tuple[int, int]
LINES = (
    line("中文", (0, 0, 200, 20)),
    line("段落", (0, 24, 120, 44)),
    line("Total", (0, 90, 60, 110)),
    line("9.60", (160, 90, 200, 110)),
    line("x", (40, 114, 60, 134)),
)
BOX = polygon((0, 0, 200, 134))
CELLS = (Cell(0, 0, 1, 1, (2,)), Cell(0, 1, 1, 1, (3,)), Cell(1, 0, 1, 1, (4,)))
PAGE = page(*LINES, blocks=(Block(BOX, (0, 1), "text"), Block(BOX, (2, 3, 4), "table", CELLS)))


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        ("multi_para", "中文段落\nTotal 9.60\nx\n"),
        ("multi_line", "中文\n段落\nTotal\n9.60\nx\n"),
        ("multi_none", "中文段落 Total 9.60 x\n"),
        ("single_para", "中文段落\nTotal 9.60\nx\n"),
        ("single_line", "中文\n段落\nTotal 9.60\nx\n"),
        ("single_none", "中文段落 Total 9.60 x\n"),
        ("single_code", "中文\n段落\nTotal          9.60\n    x\n"),
        ("none", "中文\n段落\nTotal\n9.60\nx\n"),
    ],
)
def test_each_parser_has_its_separators(parser: str, text: str) -> None:
    """As its title says; the last line of a page ends with a line feed."""
    assert parser in PARSERS
    assert "".join(text + end for text, _, end in pieces_of(PAGE, parser)) == text


@pytest.mark.parametrize(
    ("rotation", "turn"),
    [
        (0, lambda x, y: (x, y)),
        (90, lambda x, y: (640 - y, x)),
        (180, lambda x, y: (640 - x, 480 - y)),
        (270, lambda x, y: (y, 480 - x)),
    ],
)
def test_the_rows_of_a_turned_page(rotation: int, turn: Callable[[int, int], Point]) -> None:
    """They are those of the page upright."""
    turned = [
        Line(each.text, 0.9, tuple(turn(x, y) for x, y in each.polygon)) for each in PAGE.lines
    ]
    sideways = page(*turned, rotation=rotation)
    for parser in ("single_para", "single_line", "single_code"):
        texts = [(text, end) for text, _, end in pieces_of(sideways, parser)]
        assert texts == [(text, end) for text, _, end in pieces_of(PAGE, parser)]


@pytest.mark.parametrize("parser", PARSERS)
def test_a_page_without_text_has_no_pieces(parser: str) -> None:
    """Nor one from which all lines were left out."""
    assert pieces_of(page(), parser) == []


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [("中", "文", ""), ("A", "中", " "), ("a", "b", " "), ("-", "b", ""), ("a", ",", ""),
     ("𠮷", "。", ""), ("", "a", "")],
)  # fmt: skip
def test_lines_of_a_paragraph_are_joined(before: str, after: str, between: str) -> None:
    """Without a space between Chinese, with one between words."""
    assert separator(before, after) == between
