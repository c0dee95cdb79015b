"""Texts that are entries of a form or numbers: such lines are rows, wherever their boxes are."""

import re
from collections.abc import Iterable, Sequence

# A colon that is not inside a time.
_LABEL = re.compile(r"(?<!\d)\s?[:\N{FULLWIDTH COLON}]|[:\N{FULLWIDTH COLON}](?!\d)")
_UNIT = 2  # letters of a currency or a unit
_MOST = 0.5  # share of the lines at one side


def are_entries(left: Sequence[str], right: Sequence[str]) -> bool:
    """Return whether most lines at both sides have labels, or at one side are numbers."""
    labels = min(_share(_LABEL.search(text) is not None for text in side) for side in (left, right))
    numbers = max(_share(_is_number(text) for text in side) for side in (left, right))
    return labels >= _MOST or numbers > _MOST


def _share(found: Iterable[bool]) -> float:
    """Return the share of what is true."""
    each = list(found)
    return sum(each) / max(1, len(each))


def _is_number(text: str) -> bool:
    """Return whether a text is digits and signs, with a currency or a unit at most."""
    digits = sum(map(str.isdigit, text))
    return digits > 0 and sum(map(str.isalpha, text)) <= max(_UNIT, digits / 2)
