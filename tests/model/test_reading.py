"""An engine's result is checked before it is used."""

import json
import os
from typing import Any

import pytest

from model.options import DEFAULT_OPTIONS, ReadingOptions
from model.reading import Block, Implausible, Line
from model.recognition import Recognition, recognition, written
from model.table_cell import Cell
from model.workers import memfd

LINE = {"text": "4711", "confidence": 0.5, "polygon": [[0, 0], [9, 0], [9, 9], [0, 9]]}
CELL = {"row": 0, "column": 2, "row_span": 1, "column_span": 3, "lines": [0]}
BLOCK = {"polygon": LINE["polygon"], "lines": [0], "kind": "text", "cells": []}
TABLE = {**BLOCK, "kind": "table", "cells": [CELL]}
TIMES = {"detect_ms": 1.5, "recognise_ms": 2}
RESULT = {**TIMES, "lines": [LINE], "blocks": [TABLE], "rotation": 90, "skew": -1}
TWO_LINES = {**RESULT, "lines": [LINE, LINE]}


def _first_line(**members: Any) -> bytes:
    """Return a result with a line that has these members."""
    return json.dumps({**RESULT, "lines": [{**LINE, **members}]}).encode()


def _blocks(*lines: list[Any]) -> bytes:
    """Return a result with two lines, and blocks that have these."""
    blocks = [{**BLOCK, "lines": each} for each in lines]
    return json.dumps({**TWO_LINES, "blocks": blocks}).encode()


def _cells(*cells: dict[str, Any]) -> bytes:
    """Return a result with two lines in a table of these cells."""
    table = {**TABLE, "lines": [0, 1], "cells": cells}
    return json.dumps({**TWO_LINES, "blocks": [table]}).encode()


def parsed(
    result: bytes,
    response: Any = None,
    output_bytes: int = 100_000,
    options: ReadingOptions = DEFAULT_OPTIONS,
) -> Recognition:
    """Return what the parent makes of a result in an output buffer."""
    output = memfd.output_buffer("reading", output_bytes)
    try:
        memfd.write(output, result)
        said = response or {"bytes": len(result)}
        return recognition(written(said, output, output_bytes, options), options)
    finally:
        os.close(output)


def test_a_result_is_parsed() -> None:
    """Control of the lies below."""
    found = parsed(json.dumps(RESULT).encode())
    assert found.lines == (Line("4711", 0.5, ((0, 0), (9, 0), (9, 9), (0, 9))),)
    cells = (Cell(0, 2, 1, 3, (0,)),)
    assert found.blocks == (Block(((0, 0), (9, 0), (9, 9), (0, 9)), (0,), "table", cells),)
    assert (found.rotation, found.skew) == (90, -1.0)
    assert found.times_ms == {"detect": 1.5, "recognise": 2.0}


LIES = {
    "no JSON": b"{",
    "a list": b"[]",
    "no lines": b"{}",
    "deeply nested": b"[" * 50_000,
    "no text": json.dumps({**RESULT, "lines": [{**LINE, "text": 1}]}).encode(),
    "an unpaired surrogate": json.dumps({**RESULT, "lines": [{**LINE, "text": "\ud800"}]}).encode(),
    "no polygon": json.dumps({**RESULT, "lines": [{**LINE, "polygon": []}]}).encode(),
    "an infinite polygon": json.dumps(
        {**RESULT, "lines": [{**LINE, "polygon": [[float("inf"), 0]] * 4}]}
    ).encode(),
    "a coordinate on no page": _first_line(polygon=[[1e18, 0]] * 4),
    "a coordinate that is a string": _first_line(polygon=[["0", 0]] * 4),
    "a coordinate that is a truth value": _first_line(polygon=[[True, 0]] * 4),
    "a confidence that is a truth value": _first_line(confidence=True),
    "no confidence": json.dumps({**RESULT, "lines": [{**LINE, "confidence": "x"}]}).encode(),
    "NaN": json.dumps({**RESULT, "lines": [{**LINE, "confidence": float("nan")}]}).encode(),
    "no blocks": json.dumps({**RESULT, "blocks": []}).encode(),
    "a block of another kind": json.dumps({**RESULT, "blocks": [{**BLOCK, "kind": "x"}]}).encode(),
    "a kind that is no string": json.dumps({**RESULT, "blocks": [{**BLOCK, "kind": []}]}).encode(),
    "a block without polygon": json.dumps(
        {**RESULT, "blocks": [{**BLOCK, "polygon": [[0, 0]]}]}
    ).encode(),
    "a line in no block": _blocks([0]),
    "a line in two blocks": _blocks([0, 1], [1]),
    "a line twice in a block": _blocks([0, 0, 1]),
    "blocks in another order": _blocks([1], [0]),
    "a line that does not exist": _blocks([0, 1, 2]),
    "a negative line": _blocks([-2, -1]),
    "an empty block": _blocks([0, 1], []),
    "lines that are no numbers": _blocks(["0"], ["1"]),
    "a table without cells": _cells(),
    "cells without a table": json.dumps({**RESULT, "blocks": [{**TABLE, "kind": "text"}]}).encode(),
    "a line in no cell": _cells(CELL),
    "a line in two cells": _cells({**CELL, "lines": [0, 1]}, {**CELL, "lines": [1]}),
    "cells in another order": _cells({**CELL, "lines": [1]}, CELL),
    "an empty cell": _cells({**CELL, "lines": [0, 1]}, {**CELL, "lines": []}),
    "a cell with a line that does not exist": _cells({**CELL, "lines": [0, 1, 2]}),
    "a cell without a place": _cells({**CELL, "lines": [0, 1], "row": None}),
    "a row that is no number": _cells({**CELL, "lines": [0, 1], "row": "0"}),
    "a row that is no whole number": _cells({**CELL, "lines": [0, 1], "row": 0.5}),
    "a row that is a truth value": _cells({**CELL, "lines": [0, 1], "row": True}),
    "a negative column": _cells({**CELL, "lines": [0, 1], "column": -1}),
    "a span of nothing": _cells({**CELL, "lines": [0, 1], "row_span": 0}),
    "a giant span": _cells({**CELL, "lines": [0, 1], "column_span": 1 << 40}),
    "a span beyond every table": _cells({**CELL, "lines": [0, 1], "row_span": 1 << 16, "row": 1}),
    "a cell that is a list": json.dumps({**RESULT, "blocks": [{**TABLE, "cells": [[]]}]}).encode(),
    "no time": json.dumps({**RESULT, "detect_ms": float("nan")}).encode(),
    "no rotation": json.dumps({**RESULT, "rotation": None}).encode(),
    "a rotation by less than a quarter turn": json.dumps({**RESULT, "rotation": 45}).encode(),
    "a rotation that is a truth value": json.dumps({**RESULT, "rotation": False}).encode(),
    "a rotation that is no whole number": json.dumps({**RESULT, "rotation": 90.0}).encode(),
    "no skew": json.dumps({**RESULT, "skew": float("nan")}).encode(),
    "a skew that is a string": json.dumps({**RESULT, "skew": "1"}).encode(),
    "a skew beyond every angle": json.dumps({**RESULT, "skew": 181}).encode(),
    "giant number": json.dumps({**RESULT, "detect_ms": 10**400}).encode(),
}


def test_each_line_is_in_one_block() -> None:
    """Control of the lies below: these blocks have each line once."""
    assert [block.lines for block in parsed(_blocks([0], [1])).blocks] == [(0,), (1,)]
    assert [block.lines for block in parsed(_blocks([0, 1])).blocks] == [(0, 1)]


def test_each_line_is_in_one_cell() -> None:
    """Control of the lies above: these cells have each line of their table once."""
    (block,) = parsed(_cells(CELL, {**CELL, "row": 9, "lines": [1]})).blocks
    assert [(cell.row, cell.lines) for cell in block.cells] == [(0, (0,)), (9, (1,))]
    (block,) = parsed(_cells({**CELL, "lines": [0, 1]})).blocks
    assert [cell.lines for cell in block.cells] == [(0, 1)]


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_a_lie_is_implausible(lie: bytes) -> None:
    """No other exception is raised."""
    with pytest.raises(Implausible):
        parsed(lie)


@pytest.mark.parametrize("length", [0, -1, 1 << 30, 1.5, True, None, "9", 100_001])
def test_an_impossible_length_is_implausible(length: object) -> None:
    """Neither is a length beyond the output buffer."""
    with pytest.raises(Implausible):
        parsed(json.dumps(RESULT).encode(), {"bytes": length})
