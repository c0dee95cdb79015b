"""The texts of the lines that are rendered for training."""

import functools
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.training import phrases
from model.training.charset_file import appended_from
from model.training.confusable_texts import look_alikes, narrow, symbols
from model.training.printing import Printing
from model.training.receipt_texts import field, receipt
from model.training.weak_texts import WeakTexts
from model.training.word_list import WordList

_LONGEST = 64  # characters
_HANZI = 0x3400  # and above
_Kind = Callable[[random.Random, WordList], str]


@dataclass(frozen=True)
class LineText:
    """The text to learn, and the glyphs to render for it.

    They differ in wide gaps, in vertical punctuation and in other forms of ticks.
    """

    text: str
    shown: str
    printing: Printing = ""


class LineTexts:
    """Random texts: those of a folder's `texts.txt`, and generated ones."""

    def __init__(self, folder: Path, charset: Sequence[str], *, weak: float) -> None:
        """Use the folder that `prepare_texts` and `prepare_terms` wrote.

        `weak` is the share of the kinds that are recognised worst. The text has only the charset's
        characters.
        """
        self._weak, self._weak_share = WeakTexts(folder) if weak else None, weak
        texts = (folder / "texts.txt").read_text(encoding="utf-8").split("\n")
        self._texts = [text for text in texts if text]
        self._words = WordList(folder / "words.txt")
        self._charset = frozenset(charset)
        old, appended = charset[: appended_from(charset)], charset[appended_from(charset) :]
        pools = (
            ([c for c in old if _is_common(c)], 0.32),
            ([c for c in old if _HANZI <= ord(c) < 0xF900], 0.3),
            ([c for c in charset if ord(c) >= _HANZI], 0.13),
            ([c for c in appended if ord(c) >= _HANZI], 0.25),
        )
        self._pools = [(pool, share) for pool, share in pools if pool]
        self._kinds: tuple[tuple[_Kind, float], ...] = (
            (lambda rng, _: rng.choice(self._texts), 0.50),
            (receipt, 0.19),
            (field, 0.085),
            (lambda rng, _: self._random(rng), 0.14),
            (look_alikes, 0.03),
            (narrow, 0.03),
            (symbols, 0.025),
        )

    def sample(self, rng: random.Random) -> LineText:
        """Return a random text of a random kind."""
        make = self._maker(rng)
        while True:
            text, printing = make()
            text = " ".join("".join(c for c in text if c == " " or c in self._charset).split())
            text = text[:_LONGEST].strip()
            if text:
                return LineText(text, _shown(rng, text), printing)

    def _maker(self, rng: random.Random) -> Callable[[], tuple[str, Printing]]:
        """Return a function that makes texts of a random kind, each with its printing."""
        if self._weak is not None and rng.random() < self._weak_share:
            return functools.partial(self._weak.sample, rng)
        kinds, shares = zip(*self._kinds, strict=True)
        kind: _Kind = rng.choices(kinds, shares)[0]
        return lambda: (kind(rng, self._words), "")

    def _random(self, rng: random.Random) -> str:
        """Return random characters or a name, so that every character is seen."""
        pools, shares = zip(*self._pools, strict=True)
        pool: list[str] = rng.choices(pools, shares)[0]
        if rng.random() < 0.12:
            return _personal(rng, pool)
        length = max(1, min(16, round(rng.lognormvariate(0, 0.75) * 6.5)))
        return "".join(rng.choices(pool, k=length))


def _personal(rng: random.Random, pool: Sequence[str]) -> str:
    """Return a person's name as forms have it."""
    name = rng.choice(phrases.SURNAMES) + "".join(rng.choices(pool, k=rng.randint(1, 2)))
    return rng.choice((
        name, f"姓名：{name}", f"{name}{rng.choice('女男')}",
        f"{name}、{rng.choice(phrases.SURNAMES)}{rng.choice(pool)}", f"联系人：{name}",
    ))  # fmt: skip


def _is_common(character: str) -> bool:
    """Return whether GB 2312 has it among its common Chinese characters."""
    try:
        code = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and 0xB0 <= code[0] < 0xD8


def _shown(rng: random.Random, text: str) -> str:
    """Return the glyphs to render: sometimes with wide gaps, or vertical punctuation."""
    style = rng.random()
    if style < 0.06 and " " in text:
        return re.sub(" ", lambda _: " " * rng.choice((1, 2, 3, 5, 8)), text)
    if style > 0.985:
        return "".join(phrases.VERTICAL_FORMS.get(c, c) for c in text)
    if rng.random() < 0.5:
        return "".join(phrases.OTHER_GLYPHS.get(c, c) for c in text)
    return text
