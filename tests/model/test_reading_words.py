"""The words and the image of an engine's result are checked before they are used."""

import json
from typing import Any

import pytest

from model.options import PageImage, ReadingOptions, WordMode
from model.reading import Implausible, Line, Page, Word
from model.recognition import Recognition
from tests.model.test_reading import LINE, RESULT, parsed

WORDS = ReadingOptions(words=WordMode.WORD)
BOX: Any = LINE["polygon"]
WORD = {"text": "4711", "confidence": 0.25, "polygon": BOX}
JPEG, PNG = b"\xff\xd8\xff..\xff\xd9", b"\x89PNG\r\n\x1a\n....IEND\xaeB`\x82"


def _words(*words: dict[str, Any], text: str = "4711") -> bytes:
    """Return a result with a line that has these words."""
    return json.dumps({**RESULT, "lines": [{**LINE, "text": text, "words": words}]}).encode()


def _with_image(image: bytes, wanted: PageImage, length: object = None) -> Recognition:
    """Return what the parent makes of a result that an image follows."""
    result = json.dumps({**RESULT, "image_ms": 1}).encode()
    lengths = {"bytes": len(result), "image_bytes": len(image) if length is None else length}
    return parsed(result + image, lengths, options=ReadingOptions(image=wanted))


def test_words_are_parsed() -> None:
    """Control of the lies below; words that were not asked for are not looked at."""
    (line,) = parsed(_words(WORD), options=WORDS).lines
    assert line.words == (Word("4711", tuple(map(tuple, BOX)), 0.25),)
    spaced = _words({**WORD, "text": "47"}, {**WORD, "text": "11"}, text="47 11")
    (line,) = parsed(spaced, options=WORDS).lines
    assert [(word.text, space) for word, space in line.spaced_words()] == [
        ("47", True), ("11", False),
    ]  # fmt: skip
    (line,) = parsed(_words(WORD, WORD)).lines
    assert line.words == ()


@pytest.mark.parametrize(
    "lie",
    [
        json.dumps(RESULT).encode(),
        _words(),
        _words({**WORD, "text": "4712"}),
        _words({**WORD, "text": "47 11"}, text="47 11"),
        _words(WORD, {**WORD, "text": ""}),
        _words(WORD, WORD),
        _words({**WORD, "text": 4711}),
        _words({**WORD, "text": "\ud800"}, text="\ud800"),
        _words({**WORD, "polygon": BOX[:3]}),
        _words({**WORD, "polygon": [["0", 0]] * 4}),
        _words({**WORD, "confidence": float("nan")}),
        _words({"text": "4711"}),
    ],
)
def test_words_that_are_not_those_of_the_line_are_implausible(lie: bytes) -> None:
    """Missing, another text, one with a space, an empty one, one too many, and impossible ones."""
    with pytest.raises(Implausible):
        parsed(lie, options=WORDS)


def test_an_image_is_parsed() -> None:
    """Control of the lies below: of the format that was asked for, with the time that it took."""
    for image, wanted in ((JPEG, PageImage.JPEG), (PNG, PageImage.ANNOTATED_PNG)):
        found = _with_image(image, wanted)
        assert (found.image, found.times_ms["image"]) == (image, 1.0)
    assert parsed(json.dumps(RESULT).encode()).image is None


@pytest.mark.parametrize(
    ("image", "length"),
    [(PNG, None), (JPEG + b"x", None), (b"x" + JPEG, None), (b"", None), (JPEG, 0), (JPEG, -1),
     (JPEG, 3), (JPEG, 1 << 30), (JPEG, True), (JPEG, "9")],
)  # fmt: skip
def test_another_image_is_implausible(image: bytes, length: object) -> None:
    """Of another format, without its beginning or its end, or of an impossible length."""
    with pytest.raises(Implausible):
        _with_image(image, PageImage.JPEG, length)


def test_lines_of_a_low_confidence_have_no_text() -> None:
    """They keep their place; the text of the page is without them, and without empty blocks."""
    lines = tuple(
        Line(text, confidence, BOX, (Word(text, BOX, confidence),))
        for text, confidence in (("a", 0.9), ("b", 0.3), ("c", 0.2), ("d", 0.5))
    )
    blocks: Any = [_Block((0, 1)), _Block((2,)), _Block((3,))]
    page = Page(1, False, lines, tuple(blocks), 9, 9, 0, 0.0, "model", {})  # noqa: FBT003
    blank = page.without_doubtful(0.5)
    assert [line.text for line in blank.lines] == ["a", None, None, "d"]
    assert [len(line.words) for line in blank.lines] == [1, 0, 0, 1]
    assert [line.polygon for line in blank.lines] == [BOX] * 4
    assert (page.text, blank.text) == ("a\nb\n\nc\n\nd", "a\n\nd")
    assert page.without_doubtful(0.1) is page


class _Block:
    """The lines of a block."""

    def __init__(self, lines: tuple[int, ...]) -> None:
        self.lines = lines
