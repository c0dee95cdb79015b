"""The checks of what an engine returns: it handles pixels of strangers, and could be taken over."""

import json
import math
from dataclasses import dataclass

from model.reading import Block, Implausible, Line, count
from model.workers import memfd
from model.workers.channel import Message

_KINDS = ("text", "table")


@dataclass(frozen=True, slots=True)
class Recognition:
    """An engine's result: the lines, the blocks, and the ms of its steps."""

    lines: tuple[Line, ...]
    blocks: tuple[Block, ...]
    times_ms: dict[str, float]


def recognition(response: Message, output: int, output_bytes: int) -> Recognition:
    """Return the result that an engine wrote to its output buffer.

    Raises:
        Implausible: it is impossible.

    """
    length = count(response, "bytes")
    if length > output_bytes:
        raise Implausible("a result over the limit")
    try:
        result = json.loads(memfd.read(output, length))
        lines = tuple(_line(line) for line in result["lines"])
        blocks = _blocks(result["blocks"], len(lines))
        times = {step: _finite(result[f"{step}_ms"]) for step in ("detect", "recognise")}
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Implausible("an invalid result") from error
    return Recognition(lines, blocks, times)


def _line(line: Message) -> Line:
    """Return a line of an engine's result.

    Raises:
        LookupError: a field is missing.
        TypeError: a field has another type.
        ValueError: a field has an impossible value.
        OverflowError: a coordinate is infinite.

    """
    if not isinstance(line["text"], str):
        raise ValueError("no line")  # noqa: TRY004
    line["text"].encode()  # fails for an unpaired surrogate, which no response can contain
    return Line(line["text"], _finite(line["confidence"]), _polygon(line["polygon"]))


def _blocks(blocks: list[Message], lines: int) -> tuple[Block, ...]:
    """Return the blocks of an engine's result with this number of lines.

    Raises:
        LookupError: a field is missing.
        TypeError: a field has another type.
        ValueError: a field has an impossible value, or the blocks do not have each line once.
        OverflowError: a coordinate is infinite.

    """
    checked, first = [], 0
    for block in blocks:
        members = tuple(block["lines"])
        if not members or members != tuple(range(first, min(lines, first + len(members)))):
            raise ValueError("no block")
        if block["kind"] not in _KINDS:
            raise ValueError("no kind")
        last = first + len(members)
        checked.append(Block(_polygon(block["polygon"]), tuple(range(first, last)), block["kind"]))
        first = last
    if first != lines:
        raise ValueError("a line in no block")
    return tuple(checked)


def _polygon(polygon: list[list[float]]) -> tuple[tuple[int, int], ...]:
    """Return the four points of a polygon.

    Raises:
        TypeError: a coordinate is no number.
        ValueError: there are more or fewer points.
        OverflowError: a coordinate is infinite.

    """
    if len(polygon) != 4:  # noqa: PLR2004
        raise ValueError("no polygon")
    return tuple((int(x), int(y)) for x, y in polygon)


def _finite(value: float) -> float:
    """Return a number that JSON can represent.

    Raises:
        TypeError: it is no number.
        ValueError: it is infinite or NaN.
        OverflowError: it is too large.

    """
    if not math.isfinite(value):
        raise ValueError("no finite number")
    return float(value)
