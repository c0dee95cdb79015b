"""Long lines: windows that cover them, and probabilities joined without loss."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.vision import windows as module
from model.vision.ctc import BLANK, decode_ctc
from model.vision.windows import joined, windows

STEP_PX = 8
CHARSET = [*"abcdefghij", " "]


@given(st.integers(8, 600).map(lambda steps: steps * STEP_PX))
def test_windows_cover_the_line_and_overlap(width_px: int) -> None:
    """Every column is in some window; neighbours share enough; none is longer than trained on."""
    spans = windows(width_px, STEP_PX)
    assert spans[0][0] == 0
    assert spans[-1][1] == width_px
    for (first, last), (following, _) in pairwise(spans):
        assert first < following <= last - module._OVERLAP_PX + STEP_PX
    assert all(first % STEP_PX == 0 for first, _ in spans)
    assert all(last - first <= module._LONGEST_PX for first, last in spans)


def test_a_short_line_is_one_window() -> None:
    """What fits in training's length is read whole."""
    assert windows(module._LONGEST_PX, STEP_PX) == [(0, module._LONGEST_PX)]
    assert len(windows(module._LONGEST_PX + STEP_PX, STEP_PX)) == 2


def said(text: str, every: int) -> npt.NDArray[np.float32]:
    """Return T x C probabilities that say a character every so many steps."""
    table = np.full((len(text) * every, 1 + len(CHARSET)), 0.01, np.float32)
    table[:, BLANK] = 0.9
    for number, character in enumerate(text):
        table[number * every + every // 2, BLANK] = 0.01
        table[number * every + every // 2, 1 + CHARSET.index(character)] = 0.9
    return table


@given(st.text("abcdefghij", min_size=60, max_size=120), st.integers(3, 7))
def test_joined_windows_say_what_the_line_says(text: str, every: int) -> None:
    """Also where each window is wrong about the character that its edge cuts through."""
    whole = said(text, every)
    spans = windows(len(whole) * STEP_PX, STEP_PX)
    parts = [whole[first // STEP_PX : last // STEP_PX].copy() for first, last in spans]
    for part in parts[:-1]:
        part[-3:] = said("j", 3)
    for part in parts[1:]:
        part[:3] = said("j", 3)
    assert decode_ctc(joined(parts, spans), CHARSET).text == text


def test_putting_windows_end_to_end_would_fail() -> None:
    """The check above is not blind: the same windows without their seams say parts twice."""
    whole = said("abcdefghij" * 8, 5)
    spans = windows(len(whole) * STEP_PX, STEP_PX)
    assert len(spans) > 1
    parts = [whole[first // STEP_PX : last // STEP_PX] for first, last in spans]
    assert decode_ctc(np.concatenate(parts), CHARSET).text != "abcdefghij" * 8


def test_one_window_is_left_as_it_is() -> None:
    """No copy, no seam."""
    whole = said("abc", 4)
    assert joined([whole], [(0, len(whole) * STEP_PX)]) is whole


@pytest.mark.parametrize("character", ["a", " "])
def test_a_seam_never_doubles_a_character(character: str) -> None:
    """A character that both windows see a step apart is still one."""
    before, after = said(character * 50, 4), said(character * 50, 4)
    shifted = np.roll(after, 1, axis=0)
    spans = [(0, 200 * STEP_PX), (80 * STEP_PX, 280 * STEP_PX)]
    assert len(decode_ctc(joined([before, shifted], spans), CHARSET).text) == 70
