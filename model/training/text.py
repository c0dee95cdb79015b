"""Texts of held-out lines and of sheets: words, sentences, numbers and forms, by kind and seed.

Each kind is a function of a random generator; `generate_text` removes characters that are not in
the charset. `model.training.prepare_texts` makes some of the texts of training with them.
"""

import random
from collections.abc import Callable, Container

from model.training import forms, words
from model.training.charset import common_hanzi, gb2312, traditional_hanzi

_MARKS = ".,:;!?"
_FULL_MARKS = "，。：；！？、"
_MAX_LATIN, _MAX_HAN = 62, 30  # characters in the longest line
_COMMON = common_hanzi()
_ALL_HANZI = [*gb2312(range(0xB0, 0xF8)), *traditional_hanzi()]

Kind = Callable[[random.Random, bool], str]


def length(rng: random.Random, longest: int) -> int:
    """Return a random length, around a fifth of the longest."""
    return max(1, min(longest, round(rng.lognormvariate(0, 0.75) * longest / 4.5)))


def _cased(rng: random.Random, text: str) -> str:
    style = rng.random()
    if style < 0.30:
        return text.upper()
    if style < 0.50:
        return text.title()
    if style < 0.75:
        return text[:1].upper() + text[1:]
    return text


def english(rng: random.Random, _: bool) -> str:
    """Return words with punctuation, numbers and brackets."""
    source = words.english() if rng.random() < 0.85 else words.other_language(rng)
    longest = length(rng, _MAX_LATIN)
    parts: list[str] = []
    while sum(map(len, parts)) + len(parts) < longest:
        word = source.sample(rng) if rng.random() < 0.88 else forms.number(rng)
        decoration = rng.random()
        if decoration < 0.12:
            word += rng.choice(_MARKS)
        elif decoration < 0.16:
            word = rng.choice(("({})", '"{}"', "[{}]", "'{}'", "“{}”", "*{}*", "#{}")).format(word)
        elif decoration < 0.20:
            word += rng.choice((" -", " &", " /", "/", " @", " +", "-", " =", " x")) + " "
        parts.append(word)
    return _cased(rng, " ".join(parts))[:_MAX_LATIN]


def chinese(rng: random.Random, held_out: bool) -> str:
    """Return a part of a sentence, or random words."""
    longest = length(rng, _MAX_HAN)
    if held_out or rng.random() < 0.5:
        sentence = rng.choice(words.sentences(held_out=held_out))
        start = rng.randrange(max(1, len(sentence) - longest + 1))
        text = sentence[start : start + longest]
    else:
        parts: list[str] = []
        while sum(map(len, parts)) < longest:
            parts.append(words.chinese().sample(rng))
            if rng.random() < 0.12:
                parts.append(rng.choice(_FULL_MARKS))
        text = "".join(parts)[:_MAX_HAN]
    return words.traditional(text) if rng.random() < 0.12 else text


def random_chinese(rng: random.Random, _: bool) -> str:
    """Return random characters, so that none can be guessed from its context."""
    pool = _COMMON if rng.random() < 0.4 else _ALL_HANZI
    return "".join(rng.choices(pool, k=min(16, length(rng, _MAX_HAN))))


def mixed(rng: random.Random, held_out: bool) -> str:
    """Return Chinese and Latin on one line."""
    parts = [
        chinese(rng, held_out)[: rng.randint(2, 10)],
        english(rng, held_out)[: rng.randint(2, 18)].strip(),
        forms.number(rng),
        chinese(rng, held_out)[: rng.randint(1, 6)],
    ]
    picked = parts[: rng.randint(2, 4)]
    rng.shuffle(picked)
    return rng.choice(("", "", " ")).join(picked)


def numbers(rng: random.Random, _: bool) -> str:
    """Return an amount, date, code, name or address, like on forms and receipts."""
    return forms.generate(rng)


KINDS: dict[str, Kind] = {
    "english": english,
    "chinese": chinese,
    "random": random_chinese,
    "mixed": mixed,
    "numbers": numbers,
}


def generate_text(rng: random.Random, charset: Container[str], *, kind: str, held_out: bool) -> str:
    """Return a line's text of this kind, with single spaces and within the charset."""
    while True:
        text = KINDS[kind](rng, held_out)
        text = " ".join("".join(c for c in text if c == " " or c in charset).split())
        if text:
            return text
