"""The checks of what an engine returns: it handles pixels of strangers, and could be taken over."""

import json
import math
from dataclasses import dataclass

from model.reading import Block, Implausible, Line, count
from model.table_cell import Cell
from model.workers import memfd
from model.workers.channel import Message

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
        rotation, skew = _rotation(result["rotation"]), _skew(result["skew"])
        times = {step: _finite(result[f"{step}_ms"]) for step in ("detect", "recognise")}
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Implausible("an invalid result") from error
    return Recognition(lines, blocks, rotation, skew, times)


def _line(line: Message) -> Line:
    """Return a line of an engine's result.

    Raises:
        LookupError: a field is missing.
        TypeError: a field has another type.
        ValueError: a field has an impossible value.
        OverflowError: a number is too large.

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
        polygon = _polygon(block["polygon"])
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


def _polygon(polygon: list[list[float]]) -> tuple[tuple[int, int], ...]:
    """Return the four points of a polygon.

    Raises:
        TypeError: a coordinate is no number.
        ValueError: there are more or fewer points, or a coordinate is infinite.
        OverflowError: a coordinate is too large.

    """
    if len(polygon) != 4:  # noqa: PLR2004
        raise ValueError("no polygon")
    return tuple((int(_finite(x)), int(_finite(y))) for x, y in polygon)


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
    if abs(_finite(value)) > _MAX_SKEW:
        raise ValueError("no angle")
    return float(value)


def _finite(value: float) -> float:
    """Return a number that JSON can represent.

    Raises:
        TypeError: it is no number.
        ValueError: it is infinite, NaN, true or false.
        OverflowError: it is too large.

    """
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("no finite number")
    return float(value)
