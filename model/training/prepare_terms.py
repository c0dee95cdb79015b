"""Prepare words that recognisers get wrong: `accented.txt` and `terms.txt` in a run's folder.

`python -m model.training.prepare_terms CHARSET FOLDER` writes words of European languages that have
a letter outside ASCII, each after its language (wordfreq), and Chinese words with a character that
resembles another one or that names a substance (the dictionary of jieba). A tenth of the words is
left for the held-out sets.
"""

import argparse
import hashlib
import re
from collections.abc import Container, Iterator
from pathlib import Path

import jieba
import wordfreq

from model.training import phrases
from model.training.charset_file import read_charset

LANGUAGES = (
    "fr", "de", "es", "pt", "it", "nl", "sv", "da", "nb", "fi", "is", "ca", "pl", "cs", "sk", "hu",
    "ro", "tr", "sl", "lt", "lv",
)  # fmt: skip
_WORDS = 25_000  # of a language, the most frequent ones
_LONGEST = 8  # characters of a Chinese term
_HELD_OUT_SHARE = 0.1  # of the words, selected by their hashes
_HAN = re.compile("[一-鿿]+")


def held_out(word: str) -> bool:
    """Return whether a word is only in held-out sets."""
    return hashlib.sha256(word.encode()).digest()[0] < 256 * _HELD_OUT_SHARE


def accented(charset: Container[str]) -> Iterator[tuple[str, str]]:
    """Yield words with a letter outside ASCII, each after its language."""
    for language in LANGUAGES:
        for word in wordfreq.top_n_list(language, _WORDS):
            if not word.isascii() and word.isalpha() and all(c in charset for c in word):
                yield language, word


def terms(charset: Container[str]) -> Iterator[str]:
    """Yield Chinese words of two characters or more with one of `phrases.CONFUSABLE_HANZI`."""
    wanted = frozenset("".join(phrases.CONFUSABLE_HANZI))
    dictionary = Path(jieba.__file__).parent / "dict.txt"
    for entry in dictionary.read_text(encoding="utf-8").splitlines():
        word = entry.split(" ")[0]
        if (
            2 <= len(word) <= _LONGEST
            and _HAN.fullmatch(word)
            and not wanted.isdisjoint(word)
            and all(c in charset for c in word)
        ):
            yield word


def main() -> None:
    """Write the words that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("charset", "folder"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    charset = frozenset(read_charset(options.charset))
    lines = "".join(
        f"{language} {word}\n" for language, word in accented(charset) if not held_out(word)
    )
    (options.folder / "accented.txt").write_text(lines, encoding="utf-8")
    lines = "".join(f"{word}\n" for word in terms(charset) if not held_out(word))
    (options.folder / "terms.txt").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
