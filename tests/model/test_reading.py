"""An engine's result is checked before it is used."""

import json
import os
from typing import Any

import pytest

from model.reading import Block, Implausible, Line
from model.recognition import Recognition, recognition
from model.workers import memfd

LINE = {"text": "4711", "confidence": 0.5, "polygon": [[0, 0], [9, 0], [9, 9], [0, 9]]}
BLOCK = {"polygon": LINE["polygon"], "lines": [0], "kind": "table"}
RESULT = {"detect_ms": 1.5, "recognise_ms": 2, "lines": [LINE], "blocks": [BLOCK]}
TWO_LINES = {**RESULT, "lines": [LINE, LINE]}


def _blocks(*lines: list[Any]) -> bytes:
    """Return a result with two lines, and blocks that have these."""
    blocks = [{**BLOCK, "lines": each} for each in lines]
    return json.dumps({**TWO_LINES, "blocks": blocks}).encode()


def parsed(result: bytes, response: Any = None, output_bytes: int = 100_000) -> Recognition:
    """Return what the parent makes of a result in an output buffer."""
    output = memfd.output_buffer("reading", output_bytes)
    try:
        memfd.write(output, result)
        return recognition(response or {"bytes": len(result)}, output, output_bytes)
    finally:
        os.close(output)


def test_a_result_is_parsed() -> None:
    """Control of the lies below."""
    found = parsed(json.dumps(RESULT).encode())
    assert found.lines == (Line("4711", 0.5, ((0, 0), (9, 0), (9, 9), (0, 9))),)
    assert found.blocks == (Block(((0, 0), (9, 0), (9, 9), (0, 9)), (0,), "table"),)
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
    "no time": json.dumps({**RESULT, "detect_ms": float("nan")}).encode(),
    "giant number": json.dumps({**RESULT, "detect_ms": 10**400}).encode(),
}


def test_each_line_is_in_one_block() -> None:
    """Control of the lies below: these blocks have each line once."""
    assert [block.lines for block in parsed(_blocks([0], [1])).blocks] == [(0,), (1,)]
    assert [block.lines for block in parsed(_blocks([0, 1])).blocks] == [(0, 1)]


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
