"""The checks of what an engine returns: it handles pixels of strangers, and could be taken over."""

import asyncio
import json
from dataclasses import dataclass
from typing import NamedTuple

from model.checked_lines import checked_finite, checked_line, checked_polygon
from model.options import PageImage, ReadingOptions
from model.reading import Block, Implausible, Line, count
from model.table_cell import Cell
from model.workers import memfd
from model.workers.channel import Message

_RESULT_BYTES = 64 << 20
_LARGE_BYTES = 1 << 17  # a larger result is checked in a thread: it takes 10 ms and more
# A PNG of noise, or a JPEG of the best quality, is a little larger than its pixels.
_IMAGE_BYTES, _IMAGE_BYTES_PER_PIXEL = 1 << 20, 4
_JPEG = (b"\xff\xd8\xff", b"\xff\xd9")
_PNG = (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82")
_SIGNATURES = {
    PageImage.JPEG: _JPEG,
    PageImage.ANNOTATED_JPEG: _JPEG,
    PageImage.ANNOTATED_PNG: _PNG,
}
_KINDS = ("text", "table")
_ROTATIONS = (0, 90, 180, 270)
_MAX_SKEW = 180.0
_MAX_GRID = 1 << 16  # rows, and columns, of a table: more than a page has lines


@dataclass(frozen=True, slots=True)
class Recognition:
    """An engine's result: lines, blocks, how the page is turned, and the ms of its steps."""

    lines: tuple[Line, ...]
    blocks: tuple[Block, ...]
    rotation: int
    skew: float
    times_ms: dict[str, float]
    image: bytes | None = None


def output_bytes(pixels: int, options: ReadingOptions) -> int:
    """Return the size of an engine's output buffer for a page with this number of pixels."""
    if options.image is None:
        return _RESULT_BYTES
    return _RESULT_BYTES + _IMAGE_BYTES + pixels * _IMAGE_BYTES_PER_PIXEL


class Written(NamedTuple):
    """What an engine wrote to its output buffer: JSON, and the image, empty without one."""

    result: bytes
    image: bytes


def written(response: Message, output: int, output_bytes: int, options: ReadingOptions) -> Written:
    """Return the content of an engine's output buffer.

    Raises:
        Implausible: it is longer than the buffer, or shorter than the engine says.

    """
    length = count(response, "bytes")
    image_length = 0 if options.image is None else count(response, "image_bytes")
    if length + image_length > output_bytes:
        raise Implausible("a result over the limit")
    try:
        return Written(memfd.read(output, length), memfd.read(output, image_length, start=length))
    except (ValueError, OverflowError) as error:
        raise Implausible("a result that is not there") from error


async def checked(content: Written, options: ReadingOptions) -> Recognition:
    """Return the result that an engine has written; other requests go on meanwhile.

    Raises:
        Implausible: it is impossible.

    """
    if len(content.result) < _LARGE_BYTES:
        return recognition(content, options)
    return await asyncio.to_thread(recognition, content, options)


def recognition(content: Written, options: ReadingOptions) -> Recognition:
    """Return the result that an engine has written.

    Raises:
        Implausible: it is impossible.

    """
    try:
        result = json.loads(content.result)
        lines = tuple(checked_line(line, options.words) for line in result["lines"])
        blocks = _blocks(result["blocks"], len(lines))
        rotation, skew = _rotation(result["rotation"]), _skew(result["skew"])
        times = {step: checked_finite(result[f"{step}_ms"]) for step in ("detect", "recognise")}
        if options.image is not None:
            times["image"] = checked_finite(result["image_ms"])
        image = _image(content.image, options.image)
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Implausible("an invalid result") from error
    return Recognition(lines, blocks, rotation, skew, times, image)


def _image(image: bytes, wanted: PageImage | None) -> bytes | None:
    """Return the image that was asked for.

    Raises:
        ValueError: it has not the beginning and the end of its format.

    """
    if wanted is None:
        return None
    first, last = _SIGNATURES[wanted]
    if not image.startswith(first) or not image.endswith(last):
        raise ValueError("no image of this format")
    return image


def _blocks(blocks: list[Message], lines: int) -> tuple[Block, ...]:
    """Return the blocks of an engine's result with this number of lines.

    Raises:
        LookupError: a field is missing.
        TypeError: a field has another type.
        ValueError: a field has an impossible value, or the blocks do not have each line once.
        OverflowError: a number is too large.

    """
    checked, first = [], 0
    for block in blocks:
        members = tuple(block["lines"])
        if not members or members != tuple(range(first, min(lines, first + len(members)))):
            raise ValueError("no block")
        if block["kind"] not in _KINDS:
            raise ValueError("no kind")
        last = first + len(members)
        cells = _cells(block["cells"], first, last)
        if bool(cells) != (block["kind"] == "table"):
            raise ValueError("a table without cells, or cells without a table")
        polygon = checked_polygon(block["polygon"])
        checked.append(Block(polygon, tuple(range(first, last)), block["kind"], cells))
        first = last
    if first != lines:
        raise ValueError("a line in no block")
    return tuple(checked)


def _cells(cells: list[Message], first: int, last: int) -> tuple[Cell, ...]:
    """Return the cells of a block that has the lines from `first` to before `last`.

    Raises:
        LookupError: a field is missing.
        TypeError: a field has another type.
        ValueError: a field has an impossible value, or the cells do not have each line once.

    """
    checked = []
    for cell in cells:
        row, column = (_within(cell[name], 0) for name in ("row", "column"))
        rows, columns = (_within(cell[name], 1) for name in ("row_span", "column_span"))
        lines = tuple(range(first, min(last, first + len(cell["lines"]))))
        if not lines or tuple(cell["lines"]) != lines:
            raise ValueError("no cell")
        if max(row + rows, column + columns) > _MAX_GRID:
            raise ValueError("a cell outside every table")
        checked.append(Cell(row, column, rows, columns, lines))
        first = lines[-1] + 1
    if checked and first != last:
        raise ValueError("a line in no cell")
    return tuple(checked)


def _within(value: object, least: int) -> int:
    """Return a whole number from `least` to the most rows or columns of a table.

    Raises:
        ValueError: it is none.

    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MAX_GRID:
        raise ValueError("no place")
    return value


def _rotation(value: object) -> int:
    """Return a page's rotation in degrees.

    Raises:
        ValueError: it is no whole number of quarter turns.

    """
    if not isinstance(value, int) or isinstance(value, bool) or value not in _ROTATIONS:
        raise ValueError("no rotation")
    return value


def _skew(value: float) -> float:
    """Return a page's skew in degrees.

    Raises:
        TypeError: it is no number.
        ValueError: it is no angle.
        OverflowError: it is too large.

    """
    if abs(checked_finite(value)) > _MAX_SKEW:
        raise ValueError("no angle")
    return float(value)
