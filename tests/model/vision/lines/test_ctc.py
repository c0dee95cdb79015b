"""CTC decoding: the probabilities of each step to text."""

from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.vision.lines.ctc import BLANK, decode_ctc

CHARSET = [*"abc", " "]


def steps(indices: list[int], probability: float = 0.9) -> npt.NDArray[np.float32]:
    """Return T x C probabilities whose best class at each step is the given one."""
    rest = (1 - probability) / len(CHARSET)
    table = np.full((len(indices), 1 + len(CHARSET)), rest, np.float32)
    table[np.arange(len(indices)), indices] = probability
    return table


@given(st.text("".join(CHARSET), max_size=20), st.data())
def test_any_path_of_a_text_decodes_to_it(text: str, data: st.DataObject) -> None:
    """However many steps each character has and wherever blanks are."""
    said = [BLANK] * data.draw(st.integers(0, 3))
    for here, following in pairwise([*text, ""]):
        said += [1 + CHARSET.index(here)] * data.draw(st.integers(1, 3))
        said += [BLANK] * data.draw(st.integers(1 if here == following else 0, 2))
    decoded = decode_ctc(steps(said or [BLANK]), CHARSET)
    assert decoded.text == text
    assert decoded.mean_probability == pytest.approx(0.9 if text else 0.0)


def test_a_double_letter_needs_a_blank_between() -> None:
    """Two equal steps are one character, and two only with a blank between."""
    assert decode_ctc(steps([1, 1]), CHARSET).text == "a"
    assert decode_ctc(steps([1, BLANK, 1]), CHARSET).text == "aa"


def test_the_mean_probability_is_that_of_the_characters() -> None:
    """Blanks and repeated steps don't count."""
    table = np.concatenate([steps([1], 0.8), steps([1, BLANK], 0.99), steps([2], 0.6)])
    decoded = decode_ctc(table, CHARSET)
    assert decoded.text == "ab"
    assert decoded.mean_probability == pytest.approx(0.7)


def spelled(path: tuple[int, ...]) -> tuple[int, ...]:
    """Return the text of a path of classes, without repeats and blanks."""
    kept = [c for c, before in zip(path, (BLANK, *path), strict=False) if c != before]
    return tuple(c for c in kept if c != BLANK)


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_likelihood_is_the_sum_over_all_paths(length: int, seed: int) -> None:
    """As computed from the probability of each path with that text."""
    table = np.random.default_rng(seed).dirichlet(np.ones(4), length).astype(np.float32)
    decoded = decode_ctc(table, "abc")
    said = tuple(1 + "abc".index(character) for character in decoded.text)
    paths = (p for p in product(range(4), repeat=length) if spelled(p) == said)
    probability = sum(np.prod([table[step, c] for step, c in enumerate(path)]) for path in paths)
    assert decoded.nll == pytest.approx(-np.log(probability), rel=1e-4)


def test_the_position_of_a_space_does_not_matter() -> None:
    """A space that may be at either of two steps leaves the text as likely as before."""
    space = len(CHARSET)
    table = steps([1, BLANK, BLANK, 2], 0.999)
    table[1:3] = 0.0
    table[1:3, [BLANK, space]] = 0.5
    table[1, space], table[1, BLANK] = 0.51, 0.49
    decoded = decode_ctc(table, CHARSET)
    assert decoded.text == "a b"
    assert decoded.nll < -np.log(0.74)  # of four paths for two steps, one has no space


@pytest.mark.parametrize("certain", [False, True])
def test_the_likelihood_of_the_longest_line(*, certain: bool) -> None:
    """Of 800 steps, neither the one path nor the sum of nearly 3 ** 800 leaves a float's range."""
    classes = np.arange(800) % 59 + 1
    if not certain:
        classes[1::2] = BLANK
    table = np.full((800, 60), 1 / 60, np.float32)
    table[np.arange(800), classes] += 0.9 if certain else 1e-6
    decoded = decode_ctc(table, [chr(200 + number) for number in range(59)])
    one_path = -np.log(table.max(axis=1).astype(np.float64)).sum()
    assert len(decoded.text) == (800 if certain else 400)
    if certain:  # each step is a character
        assert decoded.nll == pytest.approx(one_path, rel=1e-6)
    else:
        assert one_path / 2 < one_path - 800 * np.log(3) < decoded.nll < one_path - 600
