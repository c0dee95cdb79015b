"""Markdown: what a parser of CommonMark with tables makes of it."""

import html
import math
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from handlers.writing.markdown_text import escaped, escaped_inside
from model.reader import Cell, Line
from tests.handlers.formats.pages import full_page, line_of, page_of, written

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TAGS = re.compile(r"<[^>]*>")


def _html(text: str) -> str:
    made: str = PARSER.render(text)
    return made


def _paragraph(*texts: str) -> str:
    return _html(written("markdown", page_of([line_of(t, 0, 30 * n) for n, t in enumerate(texts)])))


MARKUP = [
    *("# heading", "> quote", "- item", "+ item", "* item", "1. item", "12) item", "***", "---"),
    *("___", "===", "```", "~~~", "`code`", "*em*", "**strong**", "_em_", "~~gone~~", "[a](b)"),
    *("![a](b)", "[a]: b", "<b>bold</b>", "<script>alert(1)</script>", "<!-- no -->", "&amp;"),
    *("&#65;", "\\*", "a\\", "| a | b |", "|-|-|", ":--", ":-:", "http://a.bc", "www.a.bc"),
    *("<http://a.bc>", "    code", "\tcode", "a  ", "$x$", "[^1]: note", "# a #", "a #"),
]


HARMLESS_HERE = {"http://a.bc", "www.a.bc", "$x$", ":--", ":-:", "a #"}  # markup in other dialects


@pytest.mark.parametrize("text", MARKUP)
def test_text_is_never_markup(text: str) -> None:
    """In the only line of a paragraph, in its second one, and in a cell of a table."""
    shown = html.escape(text.strip(), quote=False).replace('"', "&quot;")
    assert _paragraph(text) == f"<p>{shown}</p>\n"
    assert _paragraph("a", text) == f"<p>a<br />\n{shown}</p>\n"
    assert _paragraph(text, "b") == f"<p>{shown}<br />\nb</p>\n"
    assert f"<td>{shown}</td>" in _html(f"| a |\n| --- |\n| {escaped_inside(text)} |\n")


def test_without_escapes_it_would_be() -> None:
    """Negative control: of all but the few that only another dialect knows."""
    for text in set(MARKUP) - HARMLESS_HERE:
        shown = html.escape(text, quote=False).replace('"', "&quot;")
        assert (
            _html(text) != f"<p>{shown}</p>\n"
            or _html(f"a\n{text}\n") != f"<p>a\n{shown}</p>\n"
            or _html(f"{text}\nb\n") != f"<p>{shown}\nb</p>\n"
            or f"<td>{shown}</td>" not in _html(f"| a |\n| --- |\n| {text} |\n")
        )


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab1 *_`~#<>&|[]()!\\-+=:.\"'$\t\n\x00中文"), max_size=12))
def test_whatever_it_is(text: str) -> None:
    """The rendered text is the text, and the only tag is that of the paragraph."""
    shown = _html(escaped(text))
    expected = re.sub(r"[\x00-\x20]+", " ", text).strip()
    assert html.unescape(TAGS.sub("", shown)).strip() == expected
    assert {tag.strip("</>") for tag in TAGS.findall(shown)} <= {"p"}


def _table(*cells: Cell, lines: int) -> str:
    texts = [line_of(chr(ord("a") + n), 0, 30 * n) for n in range(lines)]
    return written("markdown", page_of(texts, tables=[cells]))


def test_a_table() -> None:
    """The first row is the header; what a span covers is empty; lines of a cell are parted."""
    assert _table(
        Cell(0, 0, 2, 1, (0,)),
        Cell(0, 1, 1, 2, (1,)),
        Cell(1, 1, 1, 1, (2, 3)),
        Cell(1, 2, 1, 1, (4,)),
        lines=5,
    ) == ("| a | b |  |\n| --- | --- | --- |\n|  | c<br>d | e |\n")
    assert _html(_table(Cell(0, 0, 1, 1, (0,)), Cell(1, 0, 1, 1, (1,)), lines=2)).count("<tr>") == 2


def test_a_table_without_end_is_text() -> None:
    """Cells far apart do not make a grid of all that is between them."""
    cells = [Cell(n, n, 1, 1, (n,)) for n in range(300)]
    assert "| " not in _table(*cells, lines=300)
    assert "| " not in _table(
        Cell(0, 0, 60_000, 60_000, (0,)),
        *(Cell(n, n, 60_000 - n, 60_000 - n, (n,)) for n in range(1, 60)),
        lines=60,
    )
    assert "| " in _table(Cell(0, 0, 60_000, 60_000, (0,)), Cell(60_001, 0, 1, 1, (1,)), lines=2)


LONG = "A line of running text that fills the width of its column"


def _lines(*texts: str, lefts: Sequence[int] = ()) -> list[Line]:
    """Return lines below each other; those of LONG all end at the same place."""
    return [line_of(text, lefts[n] if lefts else 0, 30 * n) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (_lines(LONG, LONG, "end"), f"{LONG} {LONG} end\n"),
        (_lines(LONG, LONG, "end", lefts=[0, 0, 40]), f"{LONG} {LONG}\\\nend\n"),
        (_lines(LONG, "end"), f"{LONG}\\\nend\n"),
        (_lines("Tea", "2.00"), "Tea\\\n2.00\n"),
        (_lines("中" * 20, "文" * 20, "字"), f"{'中' * 20}{'文' * 20}字\n"),
        (_lines(f"{LONG}-", f"{LONG}-", "end"), f"{LONG}-{LONG}-end\n"),
    ],
)
def test_running_text_is_joined(lines: list[Line], text: str) -> None:
    """Where the lines end at the edge; entries of a list keep their lines."""
    assert written("markdown", page_of(lines)) == text


@pytest.mark.parametrize("degrees", [2, -90, 90, 180])
def test_a_turned_page_has_running_text_too(degrees: float) -> None:
    """Its edges are where its lines begin and end."""
    angle = math.radians(degrees)
    lines = [
        line_of(
            LONG, round(500 - 30 * n * math.sin(angle)), round(400 + 30 * n * math.cos(angle)),
            degrees=degrees,
        )
        for n in range(3)
    ]  # fmt: skip
    assert written("markdown", page_of(lines)) == " ".join([LONG] * 3) + "\n"


def test_lines_of_other_directions_stay_apart() -> None:
    """A block may hold some."""
    lines = [line_of(LONG, 600, 30 * n, degrees=degrees) for n, degrees in enumerate([0, 0, 30])]
    assert written("markdown", page_of(lines)) == "\\\n".join([LONG] * 3) + "\n"


def _with_title(text: str, height: int, lines: int = 6) -> str:
    body = [line_of("text", 0, 100 + 30 * n) for n in range(lines)]
    return written("markdown", page_of([line_of(text, height=height)], body)).splitlines()[0]


def test_a_heading_has_larger_letters() -> None:
    """It is one only where the letters say so."""
    assert _with_title("Title", 40) == "## Title"
    assert _with_title("# Title", 40) == r"## \# Title"
    assert _with_title("Title", 26) == "Title"
    assert _with_title("98.00", 40) == "98.00"
    assert _with_title("Title", 40, lines=3) == "Title"


def test_pages_and_blanks() -> None:
    """Between pages there is a break; a blank line and an empty page are nothing."""
    blank = page_of([line_of(None)], [line_of("b")])
    assert written("markdown", blank, page_of(), page_of([line_of("c")])) == (
        "b\n\n* * *\n\n\n\n* * *\n\nc\n"
    )
    assert written("markdown", page_of()) == "\n"
    assert _html(written("markdown", full_page(), full_page())).count("<hr />") == 1
