"""The texts of lines: words, sentences, numbers and forms, by kind and seed.

Each kind is a function of a random generator; `generate_text` selects one by its share and removes
characters that are not in the charset.
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


def _length(rng: random.Random, longest: int) -> int:
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
    longest = _length(rng, _MAX_LATIN)
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
    longest = _length(rng, _MAX_HAN)
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
    return "".join(rng.choices(pool, k=min(16, _length(rng, _MAX_HAN))))


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


def characters(rng: random.Random, _: bool) -> str:
    """Return random characters: look-alikes, punctuation of both widths, letters in both cases."""
    pools = (
        "0Oo1lI|i!5S8B2Z6b9gqCcVvWwXxUuKkPpMm",
        "己已巳未末土士日曰人入八千干于天夫大太犬甲由申田电戊戌戍成末木本术",
        ",，.。:：;；!！?？()（）-－—_~～'\"“”‘’、·%％$￥¥€£&@#*+=<>[]{}/\\|^`",
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    )
    parts = [rng.choice(rng.choice(pools)) for _ in range(rng.randint(1, 12))]
    return "".join(part + (" " if rng.random() < 0.06 else "") for part in parts)


KINDS: dict[str, tuple[Kind, float]] = {
    "english": (english, 0.34),
    "chinese": (chinese, 0.20),
    "random": (random_chinese, 0.14),
    "mixed": (mixed, 0.09),
    "numbers": (numbers, 0.19),
    "characters": (characters, 0.04),
}


def generate_text(
    rng: random.Random, charset: Container[str], *, kind: str | None = None, held_out: bool = False
) -> str:
    """Return a line's text of this kind, or of any, with single spaces and within the charset."""
    names, shares = list(KINDS), [share for _, share in KINDS.values()]
    while True:
        chosen = kind or rng.choices(names, shares)[0]
        text = KINDS[chosen][0](rng, held_out)
        text = " ".join("".join(c for c in text if c == " " or c in charset).split())
        if text:
            return text
