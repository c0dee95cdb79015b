"""pydantic's errors in our words: what is wrong, and what to write instead."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from settings.kinds import shown

Context = Mapping[str, Any]

WORDS: Mapping[str, Callable[[Context, Any], str]] = {
    "missing": lambda _context, _value: "is missing",
    "greater_than_equal": lambda context, value: (
        f"{shown(value)} is too small: at least {_number(context['ge'])}"
    ),
    "greater_than": lambda context, value: (
        f"{shown(value)} is too small: more than {_number(context['gt'])}"
    ),
    "less_than_equal": lambda context, value: (
        f"{shown(value)} is too large: at most {_number(context['le'])}"
    ),
    "finite_number": lambda _context, value: (
        f"{shown(value)} is not finite; write a number of seconds"
    ),
    "literal_error": lambda context, value: f"{shown(value)} is not {_quoted(context['expected'])}",
    "too_short": lambda _context, _value: "is empty; it needs at least one entry",
    "url_parsing": lambda _context, value: _not_an_origin(value),
    "url_scheme": lambda _context, value: _not_an_origin(value),
}


def in_our_words(details: ErrorDetails) -> str:
    """Return the text of an error: a check's own, or that of its type."""
    if details["type"] == "value_error":
        return str(details["ctx"]["error"])
    words = WORDS.get(details["type"])
    return words(details.get("ctx", {}), details["input"]) if words else "is not valid"


def _number(bound: float) -> str:
    return str(int(bound) if bound == int(bound) else bound)


def _quoted(expected: str) -> str:
    """Return pydantic's list of alternatives with the quotes of TOML."""
    return expected.replace("'", '"')


def _not_an_origin(value: object) -> str:
    return f"{shown(value)} is not a URL such as https://ocr.example.org"
