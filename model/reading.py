"""What a reading is, and the checks on what the child processes answered.

The decoder parses strangers' files and may have been taken over by one: nothing it says is
believed that can be measured.
"""

import json
from dataclasses import dataclass

from model import sealed
from model.channel import Message
from model.errors import (
    ReadingError,
    SeveralPages,
    TooManyPixels,
    UnreadableImage,
    UnsupportedImageType,
)

_RESULT_BYTES = 64 << 20
_REFUSALS: dict[str, type[ReadingError]] = {
    "UnsupportedImageType": UnsupportedImageType,
    "UnreadableImage": UnreadableImage,
    "SeveralPages": SeveralPages,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line: text, confidence 0 to 1, box clockwise from top left in the upright image's px."""

    text: str
    confidence: float
    polygon: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: lines in reading order, the upright image's px, and where the ms went."""

    lines: tuple[Line, ...]
    width: int
    height: int
    model: str
    timing_ms: dict[str, float]

    @property
    def text(self) -> str:
        """The lines' texts, a line each."""
        return "\n".join(line.text for line in self.lines)


class Implausible(Exception):
    """A child process answered what it cannot have meant; it is not to be asked again."""


def page_size(answer: Message, descriptors: list[int], max_pixels: int) -> tuple[int, int]:
    """Return the width and height of a decoder's page after measuring its memory file.

    Raises UnsupportedImageType, UnreadableImage, TooManyPixels as the decoder found; Implausible
    where the file is not what it says.
    """
    if "error" in answer:
        raise _refusal(answer, max_pixels)
    width, height = answer.get("width"), answer.get("height")
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        raise Implausible("a page without measures")
    if width * height > max_pixels or len(descriptors) != 1:
        raise Implausible("a page over the limit, or none")
    if not sealed.is_sealed(descriptors[0]):
        raise Implausible("pixels that can still change")
    if sealed.size_bytes(descriptors[0]) != width * height * 3:
        raise Implausible("pixels that do not fit the measures")
    return width, height


def lines_and_times(descriptors: list[int]) -> tuple[tuple[Line, ...], dict[str, float]]:
    """Return an engine's lines, and its steps' ms. Raises Implausible."""
    try:
        result = json.loads(sealed.read(descriptors[0], _RESULT_BYTES))
        lines = tuple(_line(line) for line in result["lines"])
        times = {step: float(result[f"{step}_ms"]) for step in ("detect", "recognise")}
    except (LookupError, TypeError, ValueError) as error:
        raise Implausible("a result that is none") from error
    return lines, times


def _refusal(answer: Message, max_pixels: int) -> Exception:
    """Return the exception that a decoder's refusal stands for."""
    if answer["error"] == "TooManyPixels" and isinstance(answer.get("pixels"), int):
        return TooManyPixels(answer["pixels"], max_pixels)
    if answer["error"] in _REFUSALS:
        return _REFUSALS[answer["error"]](str(answer.get("detail", "")))
    return Implausible("an unknown refusal")


def _line(line: Message) -> Line:
    """Return a line of an engine's result. Raises LookupError, TypeError, ValueError."""
    if not isinstance(line["text"], str) or len(line["polygon"]) != 4:  # noqa: PLR2004
        raise ValueError("not a line")
    polygon = tuple((int(x), int(y)) for x, y in line["polygon"])
    return Line(line["text"], float(line["confidence"]), polygon)
