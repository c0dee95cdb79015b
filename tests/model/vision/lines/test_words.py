"""Words and characters, and their boxes, on drawn pages whose words are known."""

from statistics import median

import cv2
import numpy as np
import pytest

from bench.word_pages import COLUMNS, KINDS, WordPage, lines, long, ruled, turned
from bench.word_scores import matched
from model.options import WordMode
from model.vision.ink import ink_of
from model.vision.lines.words import ReadWord, grouped
from model.vision.page import PageReader

TEXT = "合计 TOTAL：￥1,284.50元 (Q1)"  # noqa: RUF001 - full-width marks
LEAST_IOU = 0.8
SLOW = {"small", "white on black", "tilted by -7 degrees", "condensed", "turned to the left"}


def read_words(reader: PageReader, page: WordPage, mode: WordMode) -> list[ReadWord]:
    """Return the words of a page."""
    lines = reader.read(page.pixels, detect=page.detect, check=lambda: None, words=mode).lines
    assert all("".join(word.text for word in line.words) == line.text.replace(" ", "")
               for line in lines)  # fmt: skip
    return [word for line in lines for word in line.words]


def test_which_characters_are_a_word() -> None:
    """Chinese ones and full-width marks one each; everything else by spaces."""
    words = [TEXT[word[0] : word[-1] + 1] for word in grouped(TEXT, WordMode.WORD)]
    assert words == ["合", "计", "TOTAL", "：", "￥", "1,284.50", "元", "(Q1)"]  # noqa: RUF001
    assert [TEXT[index] for (index,) in grouped(TEXT, WordMode.CHAR)] == list(TEXT.replace(" ", ""))
    assert list(grouped(" ", WordMode.WORD)) == []


@pytest.mark.parametrize("kind", sorted(set(KINDS) - SLOW))
def test_boxes_are_those_of_the_ink(kind: str, reader: PageReader) -> None:
    """In every direction: the middle of a word's box is in the true one, and most are nearly it."""
    page = KINDS[kind](WordMode.WORD)
    matches = matched(page.words, read_words(reader, page, WordMode.WORD))
    found = [match for match in matches if match.found]
    # Of the long line some words are misread: its letters are squeezed to fit the network.
    assert len(found) >= (0.9 if kind == "a longer line" else 0.95) * len(matches)
    assert all(match.inside for match in found)
    assert median(match.iou for match in found) >= LEAST_IOU


def test_boxes_of_characters(reader: PageReader) -> None:
    """Of Latin letters, too; of two thin letters side by side one may have the other's box."""
    page = turned(lines(WordMode.CHAR), 183)
    matches = matched(page.words, read_words(reader, page, WordMode.CHAR))
    assert sum(match.inside for match in matches) >= len(matches) - 2
    assert median(match.iou for match in matches) >= LEAST_IOU


def test_boxes_begin_at_the_top_left_of_their_text(reader: PageReader) -> None:
    """The first side runs along the text, the second one down through it."""
    for degrees in (180, 270):
        page = turned(ruled(WordMode.WORD), degrees)
        matches = matched(page.words, read_words(reader, page, WordMode.WORD))
        for match in matches:
            sides = np.diff(match.box, axis=0)
            true = np.diff(match.true, axis=0)
            assert (sides * true).sum(axis=1).min() > 0


def test_columns_have_a_word_for_each_character(reader: PageReader) -> None:
    """From top to bottom, whatever the mode."""
    page = KINDS["stacked columns"](WordMode.WORD)
    for mode in (WordMode.WORD, WordMode.CHAR):
        words = read_words(reader, page, mode)
        assert "".join(word.text for word in words) == "".join(COLUMNS)
        assert all(word.polygon[0][1] < word.polygon[3][1] for word in words)


def test_words_change_no_text(reader: PageReader) -> None:
    """Nor a confidence or a polygon; without being asked for there are none."""
    page = long(WordMode.WORD, 2)
    plain, worded = (
        reader.read(page.pixels, detect=False, check=lambda: None, words=mode).lines
        for mode in (WordMode.NONE, WordMode.WORD)
    )
    for one, other in zip(plain, worded, strict=True):
        assert (one.text, one.confidence) == (other.text, other.confidence)
        assert (one.polygon == other.polygon).all()
        assert not one.words
        assert other.words
        assert one.trace is None
        assert other.trace is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (60, 1), (3, 3)])
def test_lines_of_few_pixels_have_ink_or_none(shape: tuple[int, int]) -> None:
    """No shape is too small."""
    assert not ink_of(np.full(shape, 200, np.uint8)).any()


def test_ink_in_uneven_light() -> None:
    """A stroke differs from the background beside it, not from that of the whole line."""
    line = np.linspace(60, 220, 800).astype(np.uint8)[None].repeat(30, axis=0)
    cv2.rectangle(line, (700, 10), (704, 20), 120, -1)
    ink = ink_of(line)
    assert ink[10:21, 700:705].all()
    assert ink.sum() == 11 * 5
