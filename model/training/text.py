"""What lines say: words, sentences, numbers and forms, by kind and from a seed.

Each kind is a function of a random source; `draw_text` picks one by its share and keeps only
characters of the charset.
"""

import random
from collections.abc import Callable, Container

from model.training import forms, words
from model.training.charset import everyday_hanzi, gb2312, traditional_hanzi

_MARKS = ".,:;!?"
_FULL_MARKS = "，。：；！？、"
_MAX_LATIN, _MAX_HAN = 62, 30  # characters of the longest line
_EVERYDAY = everyday_hanzi()
_ALL_HANZI = [*gb2312(range(0xB0, 0xF8)), *traditional_hanzi()]

Kind = Callable[[random.Random, bool], str]


def _length(rng: random.Random, longest: int) -> int:
    """Return a line's length: a fifth of the longest, give or take; the longest still come."""
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
    """Return words with marks, numbers and brackets among them."""
    source = words.english() if rng.random() < 0.85 else words.other_language(rng)
    longest = _length(rng, _MAX_LATIN)
    parts: list[str] = []
    while sum(map(len, parts)) + len(parts) < longest:
        word = source.draw(rng) if rng.random() < 0.88 else forms.number(rng)
        dressing = rng.random()
        if dressing < 0.12:
            word += rng.choice(_MARKS)
        elif dressing < 0.16:
            word = rng.choice(("({})", '"{}"', "[{}]", "'{}'", "“{}”", "*{}*", "#{}")).format(word)
        elif dressing < 0.20:
            word += rng.choice((" -", " &", " /", "/", " @", " +", "-", " =", " x")) + " "
        parts.append(word)
    return _cased(rng, " ".join(parts))[:_MAX_LATIN]


def chinese(rng: random.Random, held_out: bool) -> str:
    """Return a piece of a sentence, or words strung together."""
    longest = _length(rng, _MAX_HAN)
    if held_out or rng.random() < 0.5:
        sentence = rng.choice(words.sentences(held_out=held_out))
        start = rng.randrange(max(1, len(sentence) - longest + 1))
        text = sentence[start : start + longest]
    else:
        parts: list[str] = []
        while sum(map(len, parts)) < longest:
            parts.append(words.chinese().draw(rng))
            if rng.random() < 0.12:
                parts.append(rng.choice(_FULL_MARKS))
        text = "".join(parts)[:_MAX_HAN]
    return words.traditional(text) if rng.random() < 0.12 else text


def random_chinese(rng: random.Random, _: bool) -> str:
    """Return characters that make no sense, so that each must be seen."""
    pool = _EVERYDAY if rng.random() < 0.4 else _ALL_HANZI
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
    """Return what forms, receipts and cards hold: amounts, dates, codes, names, addresses."""
    return forms.draw(rng)


def characters(rng: random.Random, _: bool) -> str:
    """Return characters of every sort in no order: look-alikes, marks of both widths, case."""
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


def draw_text(
    rng: random.Random, charset: Container[str], *, kind: str | None = None, held_out: bool = False
) -> str:
    """Return one line's text of the kind, or of any; single spaces, all in the charset."""
    names, shares = list(KINDS), [share for _, share in KINDS.values()]
    while True:
        chosen = kind or rng.choices(names, shares)[0]
        text = KINDS[chosen][0](rng, held_out)
        text = " ".join("".join(c for c in text if c == " " or c in charset).split())
        if text:
            return text
