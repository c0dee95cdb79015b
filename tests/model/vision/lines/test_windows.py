"""Long lines: windows that cover them, and the merged probabilities."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.vision.lines import windows as module
from model.vision.lines.ctc import BLANK, decode_ctc
from model.vision.lines.windows import merge, windows

STEP_PX = 8
CHARSET = [*"abcdefghij", " "]


@given(st.integers(8, 600).map(lambda steps: steps * STEP_PX))
def test_windows_cover_the_line_and_overlap(width_px: int) -> None:
    """Every column is in a window, neighbours overlap, none is longer than the training lines."""
    spans = windows(width_px, STEP_PX)
    assert spans[0][0] == 0
    assert spans[-1][1] == width_px
    for (first, last), (following, _) in pairwise(spans):
        assert first < following <= last - module._OVERLAP_PX + STEP_PX
    assert all(first % STEP_PX == 0 for first, _ in spans)
    assert all(last - first <= module._LONGEST_PX for first, last in spans)


def test_a_short_line_is_one_window() -> None:
    """Up to the length of the training lines."""
    assert windows(module._LONGEST_PX, STEP_PX) == [(0, module._LONGEST_PX)]
    assert len(windows(module._LONGEST_PX + STEP_PX, STEP_PX)) == 2


def probabilities_of(text: str, every: int) -> npt.NDArray[np.float32]:
    """Return T x C probabilities of a text with a character every so many steps."""
    table = np.full((len(text) * every, 1 + len(CHARSET)), 0.01, np.float32)
    table[:, BLANK] = 0.9
    for number, character in enumerate(text):
        table[number * every + every // 2, BLANK] = 0.01
        table[number * every + every // 2, 1 + CHARSET.index(character)] = 0.9
    return table


@given(st.text("abcdefghij", min_size=60, max_size=120), st.integers(3, 7))
def test_merged_windows_give_the_text_of_the_line(text: str, every: int) -> None:
    """Even if each window is wrong about the character that its edge cuts."""
    whole = probabilities_of(text, every)
    spans = windows(len(whole) * STEP_PX, STEP_PX)
    parts = [whole[first // STEP_PX : last // STEP_PX].copy() for first, last in spans]
    for part in parts[:-1]:
        part[-3:] = probabilities_of("j", 3)
    for part in parts[1:]:
        part[:3] = probabilities_of("j", 3)
    assert decode_ctc(merge(parts, spans), CHARSET).text == text


def test_concatenated_windows_repeat_characters() -> None:
    """Control: without the merge, the overlaps are in the text twice."""
    whole = probabilities_of("abcdefghij" * 8, 5)
    spans = windows(len(whole) * STEP_PX, STEP_PX)
    assert len(spans) > 1
    parts = [whole[first // STEP_PX : last // STEP_PX] for first, last in spans]
    assert decode_ctc(np.concatenate(parts), CHARSET).text != "abcdefghij" * 8


@pytest.mark.parametrize("character", ["a", " "])
def test_no_character_is_repeated(character: str) -> None:
    """Even if the windows see it one step apart."""
    before, after = probabilities_of(character * 50, 4), probabilities_of(character * 50, 4)
    shifted = np.roll(after, 1, axis=0)
    spans = [(0, 200 * STEP_PX), (80 * STEP_PX, 280 * STEP_PX)]
    assert len(decode_ctc(merge([before, shifted], spans), CHARSET).text) == 70
