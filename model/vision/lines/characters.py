"""Kinds of characters."""

_FIRST_HANZI, _LAST_HANZI = "\u3400", "\u9fff"  # all others are rare


def is_hanzi(character: str) -> bool:
    """Return whether a character is a Chinese one."""
    return _FIRST_HANZI <= character <= _LAST_HANZI
