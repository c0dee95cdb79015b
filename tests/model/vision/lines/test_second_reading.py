"""Doubtful lines of narrow letters are read again, stretched; others are not."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from model.vision.inference import Pixels
from model.vision.lines.recogniser import RecognisedText, Recogniser
from model.vision.lines.second_reading import read_again
from tests.model.images import render_line

NARROW = (
    "willful millilitre fulfill",
    "XXVIII XXXIII MDCCCLXXXVIII",
    "Illinois Illness fill",
    "Still filling bills, 11 till 1",
)


def condensed(text: str) -> Pixels:
    """Return a line, H x W x 3, in letters of two thirds of their width."""
    image = render_line(text).convert("RGB")
    size = (round(image.width * 0.65), image.height)
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def test_narrow_letters_are_read(recogniser: Recogniser) -> None:
    """Of the letters that the first reading drops (control), the second one finds most."""
    first = [recogniser.recognise(condensed(text)) for text in NARROW]
    again = [
        read_again(recogniser, condensed(text), read)
        for text, read in zip(NARROW, first, strict=True)
    ]
    assert dropped(first) > 10
    assert dropped(again) < dropped(first) / 3
    assert all(two.nll <= one.nll for one, two in zip(first, again, strict=True))


def dropped(readings: list[RecognisedText]) -> int:
    """Return how many letters of NARROW are missing."""
    read = Counter("".join(reading.text for reading in readings))
    return (Counter("".join(NARROW)) - read).total()


class Scripted:
    """Takes the recogniser's place: returns one text, and counts."""

    def __init__(self, text: RecognisedText, *, calibrated: bool = True) -> None:
        self.text = text
        self.calibrated = calibrated
        self.readings = 0

    def recognise(self, line: Pixels, *, stretch: float) -> RecognisedText:
        """Return the text of a line that is stretched."""
        assert line.shape[2] == 3
        assert stretch > 1
        self.readings += 1
        return self.text


def read(nll: float, *, text: str = "illicit", mean_probability: float = 0.8) -> RecognisedText:
    """Return a text with this negative log-likelihood."""
    return RecognisedText(text, mean_probability, 0.3, nll, incomplete=False)


NARROW_LINE, WIDE_LINE = (np.zeros((20, width, 3), np.uint8) for width in (80, 140))


@pytest.mark.parametrize(
    ("line", "first"),
    [
        (NARROW_LINE, read(0.5)),
        (WIDE_LINE, read(2.0)),
        (NARROW_LINE, read(9.0, mean_probability=0.4)),
        (NARROW_LINE, read(0.0, text="", mean_probability=0.0)),
    ],
    ids=["certain", "wide letters", "noise", "nothing"],
)
def test_other_lines_are_read_once(line: Pixels, first: RecognisedText) -> None:
    """What is certain, has letters with enough columns, or is no text costs no second reading."""
    scripted = Scripted(read(0.1, text="other"))
    assert read_again(scripted, line, first) is first  # type: ignore[arg-type]
    assert scripted.readings == 0


def test_a_recogniser_that_is_not_calibrated_reads_once() -> None:
    """Of its likelihoods nothing is known."""
    scripted = Scripted(read(0.1, text="other"), calibrated=False)
    first = read(2.0)
    assert read_again(scripted, NARROW_LINE, first) is first  # type: ignore[arg-type]
    assert scripted.readings == 0


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        (read(1.0, text="illicitly"), True),
        (read(3.0, text="ilicit"), False),
        (read(0, text=""), False),
    ],
)
def test_the_likelier_text_is_kept(second: RecognisedText, *, kept: bool) -> None:
    """Nothing at all is never likelier."""
    first = read(2.0)
    scripted = Scripted(second)
    assert read_again(scripted, NARROW_LINE, first) is (second if kept else first)  # type: ignore[arg-type]
    assert scripted.readings == 1


def test_a_line_that_was_incomplete_is_read_again_and_stays_in_doubt() -> None:
    """A text in which nothing is missing is kept; an incomplete one, if it is likelier."""
    first = replace(read(0.1, text="王明"), incomplete=True)
    whole = replace(read(0.2, text="王海明"), confidence=1.0)
    again = read_again(Scripted(whole), WIDE_LINE, first)  # type: ignore[arg-type]
    assert (again.text, again.confidence) == ("王海明", 0.5)
    for nll, kept in ((0.05, "王日明"), (0.2, "王明")):
        other = replace(read(nll, text="王日明"), incomplete=True)
        assert read_again(Scripted(other), WIDE_LINE, first).text == kept  # type: ignore[arg-type]


def test_a_line_that_was_incomplete_never_becomes_empty() -> None:
    """A reading without any text is complete, but worse than an incomplete one."""
    first = replace(read(0.1, text="王明"), incomplete=True)
    assert read_again(Scripted(read(0, text="")), WIDE_LINE, first).text == "王明"  # type: ignore[arg-type]
