"""Charset files: a character in each line, in the order of the network's classes.

Class 0 is the blank, the last class the space; neither is in the file.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path


def read_charset(path: Path) -> list[str]:
    """Return the characters of a charset file."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def appended_from(charset: Sequence[str]) -> int:
    """Return the place of the first character that was appended.

    The first characters are in code point order; those that were appended begin where it breaks.
    """
    places = (place for place, (one, other) in enumerate(pairwise(charset), 1) if other < one)
    return next(places, len(charset))
