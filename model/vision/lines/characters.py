"""Kinds of characters."""

import unicodedata
from functools import lru_cache

_FIRST_HANZI, _LAST_HANZI = "\u3400", "\u9fff"  # all others are rare


def is_hanzi(character: str) -> bool:
    """Return whether a character is a Chinese one."""
    return _FIRST_HANZI <= character <= _LAST_HANZI


_KEPT = 16_384  # characters; more than a recogniser has
_WIDE = {"W", "F"}  # Source: Unicode Standard Annex 11
_NARROW, _BROAD = set("!'(),-./:;I[]`fijlrt{|}\"·"), set("%@MWmw—…")
_WIDTHS = {"narrow": 0.32, "broad": 0.9, "capital": 0.68, "other": 0.56}  # of a Chinese one


@lru_cache(_KEPT)
def is_wide(character: str) -> bool:
    """Return whether a character has a square of its own, as Chinese ones and their marks have."""
    return unicodedata.east_asian_width(character) in _WIDE


@lru_cache(_KEPT)
def relative_width(character: str) -> float:
    """Return about how wide the ink of a character is, in widths of a Chinese one."""
    if is_wide(character):
        return 1.0 if character.isalnum() else _WIDTHS["other"]
    if character in _NARROW:
        return _WIDTHS["narrow"]
    if character in _BROAD:
        return _WIDTHS["broad"]
    return _WIDTHS["capital" if character.isupper() else "other"]
