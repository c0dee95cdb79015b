"""A line with a character that was not read has no high confidence."""

# ruff: noqa: RUF001 - full-width punctuation

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from model.vision.inference import Pixels
from model.vision.lines.ctc import DecodedText
from model.vision.lines.recogniser import RecognisedText, Recogniser
from model.vision.lines.second_reading import read_again
from model.vision.lines.unread import unread_ink

TEXTS = ("2026年{}月", "地址：平江路{}88号", "申请人{}先生")
LACKING = "㓽㴵㔜㦘㹩㰭㛫㘟㗏㬎㯃㲒" + "걥객곑갵"  # the charset has none of them
KNOWN = "王海滨鹏璐瑶翠黔藏嘉"


def rendered(text: str) -> Pixels:
    """Return a line's pixels, H x W x 3."""
    try:
        font = ImageFont.truetype("wqy-zenhei.ttc", 32)
    except OSError:
        pytest.skip("fonts are missing: apt-get install fonts-wqy-zenhei")
    image = Image.new("RGB", (int(font.getlength(text)) + 12, 46), "white")
    ImageDraw.Draw(image).text((6, 4), text, (20, 20, 20), font)
    return np.asarray(image)


def readings(recogniser: Recogniser, characters: str) -> Iterator[tuple[str, RecognisedText]]:
    """Yield each text with each of the characters in it, and what is read."""
    for character in characters:
        for text in TEXTS:
            line = rendered(text.format(character))
            first = recogniser.recognise(line)
            yield text.format(character), read_again(recogniser, line, first)


def test_a_line_without_one_of_its_characters_is_in_doubt(recogniser: Recogniser) -> None:
    """The network is certain of the others."""
    dropped = [
        read
        for text, read in readings(recogniser, LACKING)
        if len(read.text.replace(" ", "")) < len(text)
    ]
    assert len(dropped) >= 8
    assert sum(read.confidence <= 0.3 for read in dropped) >= 0.8 * len(dropped)


def test_a_line_that_was_read_whole_is_not(recogniser: Recogniser) -> None:
    """Guard: of known characters, nothing is missing."""
    read = dict(readings(recogniser, KNOWN))
    assert [text for text, each in read.items() if each.incomplete] == []
    assert sum(each.confidence > 0.9 for each in read.values()) > 0.9 * len(read)


def decoded(text: str, steps: list[int]) -> DecodedText:
    """Return a text whose characters are at these steps."""
    return DecodedText(text, 1.0, 0.0, np.array(steps, np.intp), np.ones(len(text), np.intp))


@pytest.mark.parametrize(
    ("text", "steps", "expected"),
    [
        ("年月", [2, 18], True),  # a gap as wide as two characters
        ("年8", [2, 18], True),
        ("年月", [7, 13], False),  # the ink is theirs
        ("ab", [2, 18], False),  # wide letters, perhaps
        ("年 月", [2, 9, 18], False),  # a space was read there
        ("年", [2], False),
        ("", [], False),
    ],
)
def test_where_unread_ink_is_looked_for(text: str, steps: list[int], *, expected: bool) -> None:
    """Between two characters, one of them Chinese, where there is room for another one."""
    line = np.ones((3, 48, 160), np.float32)
    line[:, 8:40, 70:90:5] = -1
    assert unread_ink(line, decoded(text, steps), 8, 1.0) is expected


def test_a_rule_or_a_blank_is_no_character() -> None:
    """Neither has edges in a row of pixels."""
    blank = np.ones((3, 48, 160), np.float32)
    assert not unread_ink(blank, decoded("年月", [2, 18]), 8, 1.0)
    blank[:, 40:43] = -1
    assert not unread_ink(blank, decoded("年月", [2, 18]), 8, 1.0)


def test_a_stretched_line_needs_wider_gaps() -> None:
    """Its characters are wider, too."""
    line = np.ones((3, 48, 160), np.float32)
    line[:, 8:40, 70:90:5] = -1
    assert unread_ink(line, decoded("年月", [5, 14]), 8, 1.0)
    assert not unread_ink(line, decoded("年月", [5, 14]), 8, 1.4)
