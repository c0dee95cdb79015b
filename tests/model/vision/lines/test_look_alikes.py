"""Look-alikes are decided by their neighbours, and only where both were probable."""

import numpy as np
import pytest

from model.vision.lines.ctc import DecodedText
from model.vision.lines.look_alikes import CHARACTERS, decided

CLASSES = {character: number for number, character in enumerate(sorted(CHARACTERS), 1)}


def read(text: str, place: int, other: float) -> str:
    """Return a text that was read, and decided; at a place each of the others has a probability."""
    probabilities = np.zeros((2 * len(text) + 1, 1 + len(CLASSES)), np.float32)
    probabilities[:, 0] = 0.5  # the most probable at each step, in place of the text's own classes
    steps = np.arange(1, 2 * len(text), 2)
    probabilities[steps[place], 1:] = other
    return decided(
        DecodedText(text, 1.0, 0.0, steps, np.ones(len(text), np.intp)), probabilities, CLASSES
    )


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("RM 0.0O", 6, "RM 0.00"),
        ("1O5", 1, "105"),
        ("0.O5", 2, "0.05"),
        ("SEAF0OD", 4, "SEAFOOD"),
        ("33,57", 2, "33.57"),
        ("TOTAL 1,234,57", 11, "TOTAL 1,234.57"),
        ("5.338.65", 1, "5,338.65"),
    ],
)
def test_the_probable_other_is_taken(text: str, place: int, expected: str) -> None:
    """Control: if the network was certain, the text stays."""
    assert read(text, place, 0.2) == expected
    assert read(text, place, 0.05) == text


@pytest.mark.parametrize(
    "text",
    ["1.234,57", "1,234", "2026.11.27", "10.0.0.1", "1,2,3", "O2", "A0", "a0b1", "5 O'clock",
     "V1.2.3", "12,345,678", "3.141.592", "33,571", "No. 1, 20", "2Oz"],
)  # fmt: skip
def test_other_texts_stay(text: str) -> None:
    """Guard: amounts of other countries, dates, versions, words and lists, however probable."""
    for place in range(len(text)):
        assert read(text, place, 0.49) == text
