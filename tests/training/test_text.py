"""The texts of lines."""

import random
from collections.abc import Sequence

import pytest

from model.training import words
from model.training.text import KINDS, generate_text

pytestmark = pytest.mark.training


def some(charset: Sequence[str], kind: str, *, held_out: bool = False) -> list[str]:
    """Return texts of a kind, from seeds."""
    known = set(charset)
    return [
        generate_text(random.Random(seed), known, kind=kind, held_out=held_out)
        for seed in range(60)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_has_only_the_charsets_characters(kind: str, charset: Sequence[str]) -> None:
    """And single spaces, none at its ends; each kind has many texts."""
    texts = some(charset, kind)
    for text in texts:
        assert text == " ".join(text.split())
        assert set(text) <= {" ", *charset}
    assert len(set(texts)) > 30


def test_what_the_charset_lacks_is_left_out() -> None:
    """Control: a smaller charset gives other texts."""
    assert set("".join(some("0123456789", "numbers"))) <= {*"0123456789 "}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_text(kind: str, charset: Sequence[str]) -> None:
    """Whatever was generated before."""
    known = set(charset)
    first = some(charset, kind)
    generate_text(random.Random(99), known, kind=kind, held_out=False)
    assert some(charset, kind) == first


def test_held_out_sentences_are_never_trained_on(charset: Sequence[str]) -> None:
    """They come from another corpus; no sentence is in both."""
    trained, held_out = (words.sentences(held_out=each) for each in (False, True))
    assert min(len(trained), len(held_out)) > 5000
    assert not set(trained) & set(held_out)
    everything = "\n".join(held_out)
    texts = [text for text in some(charset, "chinese", held_out=True) if len(text) > 7]
    found = sum(text in everything for text in texts)
    assert found > len(texts) / 2  # not all: some are traditional, some lose a character
    trained_on = [text for text in some(charset, "chinese") if len(text) > 7]
    assert not any(text in everything for text in trained_on)


def test_rare_words_are_seen_and_common_ones_lead() -> None:
    """Frequencies are flattened, not equal."""
    rng = random.Random(1)
    sampled = [words.english().sample(rng) for _ in range(4000)]
    assert sampled.count("the") > 10
    assert len(set(sampled)) > 2000
