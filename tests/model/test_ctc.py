"""CTC decoding: what the network says at each step, to text."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.ctc import BLANK, decode_ctc

CHARSET = [*"abc", " "]


def steps(indices: list[int], probability: float = 0.9) -> npt.NDArray[np.float32]:
    """Return T x C probabilities whose best class at each step is the given one."""
    rest = (1 - probability) / len(CHARSET)
    table = np.full((len(indices), 1 + len(CHARSET)), rest, np.float32)
    table[np.arange(len(indices)), indices] = probability
    return table


@given(st.text("".join(CHARSET), max_size=20), st.data())
def test_any_spelling_out_of_a_text_decodes_to_it(text: str, data: st.DataObject) -> None:
    """However long each character lasts and wherever blanks fall, the text comes back."""
    said = [BLANK] * data.draw(st.integers(0, 3))
    for here, following in pairwise([*text, ""]):
        said += [1 + CHARSET.index(here)] * data.draw(st.integers(1, 3))
        said += [BLANK] * data.draw(st.integers(1 if here == following else 0, 2))
    decoded, confidence = decode_ctc(steps(said or [BLANK]), CHARSET)
    assert decoded == text
    assert confidence == pytest.approx(0.9 if text else 0.0)


def test_a_double_letter_needs_a_blank_between() -> None:
    """Two equal steps are one character, and two only with a blank between."""
    assert decode_ctc(steps([1, 1]), CHARSET)[0] == "a"
    assert decode_ctc(steps([1, BLANK, 1]), CHARSET)[0] == "aa"


def test_confidence_is_the_mean_of_the_kept_steps_alone() -> None:
    """Blanks and repeats, sure or not, don't count."""
    table = np.concatenate([steps([1], 0.8), steps([1, BLANK], 0.99), steps([2], 0.6)])
    text, confidence = decode_ctc(table, CHARSET)
    assert text == "ab"
    assert confidence == pytest.approx(0.7)
