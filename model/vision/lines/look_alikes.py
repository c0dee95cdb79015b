"""Decide between O and 0, and a comma and a dot in an amount, by what stands around them.

Only where both were probable. What the rules mend and break: docs/decisions/0020-second-reading.md.
"""

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from model.vision.lines.ctc import DecodedText

_NEAR = 0.2  # of the probability of the character that was read, that the other one has at least
_RULES = (
    # 1O5, 0.O5, 10O: in a number it is a zero.
    (re.compile(r"(?<=\d)[Oo](?=[\d.,%) ]|$)|(?<=[.,])[Oo](?=\d)"), "0"),
    # F0OD: in a word of capitals it is the letter.
    (re.compile(r"(?<=[A-Z])0(?=[A-Z])"), "O"),
    # 33,57 and 1,234,57: two digits are the cents, after a dot like in most amounts. Not 1.234,57.
    (re.compile(r"(?<![\d.,])\d+(?:,\d{3})*(?P<mark>,)(?=\d\d(?![\d.,]))"), "."),
    # 5.338.65: what separates thousands does not separate cents.
    (re.compile(r"(?<![\d.,])\d{1,3}(?P<mark>\.)(?=\d{3}\.\d\d(?![\d.,]))"), ","),
)
CHARACTERS = frozenset(other for _, other in _RULES)


def decided(
    decoded: DecodedText, probabilities: npt.NDArray[np.float32], classes: Mapping[str, int]
) -> str:
    """Return the text of a line's T x C probabilities with its look-alikes decided.

    `classes` are those of CHARACTERS.
    """
    text = decoded.text
    for pattern, other in _RULES:
        for match in pattern.finditer(text):
            place = match.start("mark") if "mark" in pattern.groupindex else match.start()
            if other in classes and _is_near(decoded, probabilities, place, classes[other]):
                text = text[:place] + other + text[place + 1 :]
    return text


def _is_near(
    decoded: DecodedText, probabilities: npt.NDArray[np.float32], place: int, other: int
) -> bool:
    """Return whether another class is nearly as probable as the character at a place of the text.

    It may be so at a neighbouring step.
    """
    step = int(decoded.steps[place])
    around = probabilities[max(0, step - 1) : step + 2, other]
    return bool(around.max() >= _NEAR * probabilities[step].max())
