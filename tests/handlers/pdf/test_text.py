"""Programs that read a searchable PDF get the service's text back, in its order."""

from dataclasses import replace
from pathlib import Path

import pytest

from model.reader import Line, Page
from tests.handlers.pdf.extractors import (
    opened,
    pdfium,
    pdftotext,
    text_in,
    texts_of,
    words_in,
)
from tests.handlers.pdf.pages import (
    SIZE,
    TOP,
    UPRIGHT,
    Turn,
    box,
    column,
    columns,
    page,
    row,
    rows,
    written,
)

TURNS = [
    UPRIGHT,
    *(Turn(rotation) for rotation in (90, 180, 270)),
    *(Turn(skew=skew) for skew in (0.6, 3, -8, 20)),
    Turn(90, -2),
    Turn(270, 5),
]
SIDE_BY_SIDE = [row("left one", 200), row("left two", 300), row("右一", 200, 700)]
STACKED = [column("姓名", 200), column("性别", 400), column("年龄", 600)]
WITH_UPSIDE_DOWN = [*rows()[:5], Turn(180).line(row("the other way round", 420)), rows()[6]]
MIXED = {
    "columns": page(columns()),
    "skewed columns": page(columns(), Turn(skew=3)),
    "a heading over columns": page([row("静夜思 Thoughts", 60), *columns()]),
    "columns between lines": page([*rows(["报告 report"]), *columns(), row("the end", 700)]),
    "side by side": page(SIDE_BY_SIDE),
    "stacked": page(STACKED),
    "an upside-down line": page(WITH_UPSIDE_DOWN),
    "a sideways line": page([*rows()[:3], Turn(90).line(row("sideways 竖着 note", 700))]),
    "a skewed line": page([*rows()[:2], Turn(skew=4).line(row("signed by hand 签名", 600))]),
}


@pytest.mark.parametrize("turn", TURNS)
def test_the_lines_of_a_turned_page_come_back(turn: Turn, tmp_path: Path) -> None:
    """Without a space between Chinese neighbours, with one between Latin words."""
    case = page(rows(), turn)
    data, file = written(case), tmp_path / "page.pdf"
    file.write_bytes(data)
    assert pdfium(data) == texts_of(case)
    assert pdftotext(file) == texts_of(case)
    assert pdftotext(file, "-raw") == texts_of(case)


@pytest.mark.parametrize("name", MIXED)
def test_the_words_of_other_lines_come_back(name: str, tmp_path: Path) -> None:
    """In the order in which the service reads them. What is a line, programs decide themselves."""
    data, file = written(MIXED[name]), tmp_path / "page.pdf"
    file.write_bytes(data)
    assert words_in(pdfium(data)) == words_in(texts_of(MIXED[name]))
    assert words_in(pdftotext(file, "-raw")) == words_in(texts_of(MIXED[name]))


@pytest.mark.parametrize("turn", TURNS)
def test_each_word_is_where_it_is_on_the_page(turn: Turn) -> None:
    """PDFium finds a word in the middle of its box, and nothing else but a space."""
    case = page(WITH_UPSIDE_DOWN, turn)
    with opened(written(case)) as document:
        found = [
            (word.text, text_in(document[0], word.polygon, case).strip())
            for line in case.lines
            for word in line.words
        ]
    assert [text for text, _ in found] == [there for _, there in found]


@pytest.mark.parametrize("turn", [Turn(skew=20), Turn(skew=-8)])
def test_a_word_that_is_not_put_straight_is_not_found(turn: Turn) -> None:
    """Negative control: with the text of a page that is less skewed."""
    case = page(rows(), turn)
    shifted = replace(case, lines=page(rows(), Turn(skew=turn.skew / 2)).lines)
    with opened(written(shifted)) as document:
        found = [text_in(document[0], line.words[-1].polygon, case) for line in case.lines]
    assert found != [line.words[-1].text for line in case.lines]


def test_lines_without_words_come_back() -> None:
    """Characters share the width of a line that has no boxes of words."""
    bare = [replace(line, words=()) for line in rows()]
    assert pdfium(written(page(bare))) == texts_of(page(bare))


@pytest.mark.parametrize(
    "line",
    [
        Line(None, 0.1, box(0, 0, 90, 40)),
        Line("", 0.9, box(0, 0, 90, 40)),
        replace(row("nowhere", TOP), polygon=((9, 9),) * 4),
        replace(row("flat", TOP), polygon=box(0, 9, 90, 9)),
        replace(row("far away", TOP), polygon=((10**300, 0), (10**308, 0), (9, 9), (0, 9))),
    ],
)
def test_lines_without_a_text_or_a_size_are_left_out(line: Line) -> None:
    """As those below `min_confidence`; the others are there."""
    assert pdfium(written(page([row("above", TOP), line, row("below", TOP + 2 * SIZE)]))) == [
        "above",
        "below",
    ]


def test_overlapping_words_come_back() -> None:
    """Their order is that of the text, and a space between them stays one."""
    line = row("one two three", TOP)
    boxes = [box(150, TOP, 400, TOP + SIZE)] * 3
    words = [replace(word, polygon=box) for word, box in zip(line.words, boxes, strict=True)]
    assert pdfium(written(page([replace(line, words=tuple(words))]))) == ["one two three"]


def test_a_page_without_text_is_an_image_alone() -> None:
    """It has no characters."""
    empty: Page = page([])
    assert pdfium(written(empty)) == []


@pytest.mark.parametrize("character", ["𠀀", "𰻞", "😀", "Ａ", "\uffee", "é", "e\u0301", "‰"])
def test_characters_of_all_planes_come_back(character: str) -> None:
    """The planes 0 to 3, and a character that is two."""
    text = f"{character}x {character}"
    assert pdfium(written(page([row(text, TOP)]))) == [text]
