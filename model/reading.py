"""What a reading is, and the checks on what the child processes answered.

The decoder parses strangers' files and may have been taken over by one: nothing it says is
believed that can be measured.
"""

import json
import math
from dataclasses import dataclass

from model.errors import (
    EmptyDocument,
    EncryptedDocument,
    NoSuchPage,
    ReadingError,
    TooManyPixels,
    UnreadableImage,
    UnsupportedImageType,
)
from model.workers import memfd
from model.workers.channel import Message

_COUNT = 1 << 40  # more than anything that is counted
_RGB = 3  # bytes a pixel
_REFUSALS: dict[str, type[ReadingError]] = {
    "UnsupportedImageType": UnsupportedImageType,
    "UnreadableImage": UnreadableImage,
    "EncryptedDocument": EncryptedDocument,
    "EmptyDocument": EmptyDocument,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line: text, confidence 0 to 1, box clockwise from top left in the upright page's px."""

    text: str
    confidence: float
    polygon: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was read: lines in reading order, its px, and where the ms went.

    `of_document` tells a page, be it the only one, from an image that has none.
    """

    number: int
    of_document: bool
    lines: tuple[Line, ...]
    width: int
    height: int
    model: str
    timing_ms: dict[str, float]

    @property
    def text(self) -> str:
        """The lines' texts, a line each."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's pixels, H x W x 3 bytes RGB in a sealed memory file, and its document's measures."""

    pixels: int
    width: int
    height: int
    pages: int
    of_document: bool


class Implausible(Exception):
    """A child process answered what it cannot have meant; it is not to be asked again."""


def decoded(answer: Message, room: int, max_pixels: int) -> Decoded:
    """Return what a decoder that is gone left in its room, measured and sealed.

    Raises UnsupportedImageType, UnreadableImage, EncryptedDocument, EmptyDocument, NoSuchPage,
    TooManyPixels as the decoder found; Implausible where it lied.
    """
    if "error" in answer:
        raise _refusal(answer, max_pixels)
    width, height, pages = (_count(answer, name) for name in ("width", "height", "pages"))
    if width * height > max_pixels:
        raise Implausible("a page over the limit")
    if answer.get("mode") != "RGB":
        raise Implausible("pixels of another mode")
    try:
        memfd.close_room(room, width * height * _RGB)
    except OSError as error:
        raise Implausible("pixels that do not fit the measures") from error
    return Decoded(room, width, height, pages, answer.get("document") is True)


def lines_and_times(
    answer: Message, room: int, room_bytes: int
) -> tuple[tuple[Line, ...], dict[str, float]]:
    """Return the lines an engine left in its room, and its steps' ms. Raises Implausible."""
    length = _count(answer, "bytes")
    if length > room_bytes:
        raise Implausible("a result over the limit")
    try:
        result = json.loads(memfd.read(room, length))
        lines = tuple(_line(line) for line in result["lines"])
        times = {step: _finite(result[f"{step}_ms"]) for step in ("detect", "recognise")}
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Implausible("a result that is none") from error
    return lines, times


def _count(answer: Message, name: str) -> int:
    """Return a number of an answer that can only be positive. Raises Implausible."""
    value = answer.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _COUNT:
        raise Implausible(f"no {name}")
    return value


def _refusal(answer: Message, max_pixels: int) -> Exception:
    """Return the exception that a decoder's refusal stands for."""
    name, number = answer["error"], answer.get("number")
    if name == "TooManyPixels" and isinstance(number, int):
        return TooManyPixels(number, max_pixels)
    if name == "NoSuchPage" and isinstance(number, int):
        return NoSuchPage(number)
    if isinstance(name, str) and name in _REFUSALS:
        return _REFUSALS[name]()
    return Implausible("an unknown refusal")


def _line(line: Message) -> Line:
    """Return a line of an engine's result.

    Raises LookupError, TypeError, ValueError, OverflowError.
    """
    if not isinstance(line["text"], str) or len(line["polygon"]) != 4:  # noqa: PLR2004
        raise ValueError("not a line")
    line["text"].encode()  # half of a surrogate pair could not be sent on
    polygon = tuple((int(x), int(y)) for x, y in line["polygon"])
    return Line(line["text"], _finite(line["confidence"]), polygon)


def _finite(value: float) -> float:
    """Return a number that JSON has a form for. Raises TypeError, ValueError, OverflowError."""
    if not math.isfinite(value):
        raise ValueError("no number")
    return float(value)
