"""A file of words with weights, which `prepare_texts` writes and receipts are made of."""

import bisect
import itertools
import random
from pathlib import Path

_UNIFORM_SHARE = 0.45  # of the words: sampled without regard to weights, so that rare ones are seen


class WordList:
    """Words, sampled by weight or uniformly."""

    def __init__(self, path: Path) -> None:
        """Read a file with a word and its weight in each line."""
        pairs = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        self._words = [word for word, _ in pairs]
        self._cumulative = list(itertools.accumulate(float(weight) for _, weight in pairs))
        self._longer = [word for word in self._words if len(word) > 2 and word.isalpha()]

    def sample(self, rng: random.Random) -> str:
        """Return a word."""
        if rng.random() < _UNIFORM_SHARE:
            return rng.choice(self._longer)
        place = bisect.bisect(self._cumulative, rng.random() * self._cumulative[-1])
        return self._words[place]

    def some(self, rng: random.Random, low: int, high: int) -> str:
        """Return `low` to `high` words."""
        return " ".join(self.sample(rng) for _ in range(rng.randint(low, high)))
