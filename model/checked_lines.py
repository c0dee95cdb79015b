"""The checks of the lines that an engine returns, with their words and polygons."""

import math

from model.options import WordMode
from model.reading import Line, Word
from model.workers.channel import Message

_FARTHEST = 1 << 31  # products of larger ones are too large for a float


def checked_line(line: Message, mode: WordMode) -> Line:
    """Return a line of an engine's result, with the words that were asked for.

    Raises:
        LookupError: a field is missing.
        TypeError: a field has another type.
        ValueError: a field has an impossible value.
        OverflowError: a number is too large.

    """
    text, polygon = _text(line["text"]), checked_polygon(line["polygon"])
    words = () if mode is WordMode.NONE else tuple(_word(word) for word in line["words"])
    if mode is not WordMode.NONE and "".join(word.text for word in words) != "".join(text.split()):
        raise ValueError("words of another text")
    return Line(text, checked_finite(line["confidence"]), polygon, words)


def _word(word: Message) -> Word:
    """Return a word of a line of an engine's result.

    Raises:
        LookupError: a field is missing.
        TypeError: a field has another type.
        ValueError: a field has an impossible value.
        OverflowError: a number is too large.

    """
    text = _text(word["text"])
    if not text:
        raise ValueError("no word")
    return Word(text, checked_polygon(word["polygon"]), checked_finite(word["confidence"]))


def _text(text: object) -> str:
    """Return a text that a response can contain.

    Raises:
        ValueError: it is none, or has an unpaired surrogate.

    """
    if not isinstance(text, str):
        raise ValueError("no text")  # noqa: TRY004
    text.encode()  # fails for an unpaired surrogate
    return text


def checked_polygon(polygon: list[list[float]]) -> tuple[tuple[int, int], ...]:
    """Return the four points of a polygon.

    Raises:
        TypeError: a coordinate is no number.
        ValueError: there are more or fewer points, or a coordinate is infinite or on no page.
        OverflowError: a coordinate is too large.

    """
    if len(polygon) != 4:  # noqa: PLR2004
        raise ValueError("no polygon")
    return tuple((_coordinate(x), _coordinate(y)) for x, y in polygon)


def _coordinate(value: float) -> int:
    """Return a coordinate in whole px.

    Raises:
        TypeError: it is no number.
        ValueError: it is infinite, or farther away than any page is large.
        OverflowError: it is too large.

    """
    if abs(checked_finite(value)) > _FARTHEST:
        raise ValueError("on no page")
    return int(value)


def checked_finite(value: float) -> float:
    """Return a number that JSON can represent.

    Raises:
        TypeError: it is no number.
        ValueError: it is infinite, NaN, true or false.
        OverflowError: it is too large.

    """
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("no finite number")
    return float(value)
