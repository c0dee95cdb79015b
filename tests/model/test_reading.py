"""An engine's result is checked before it is used."""

import json
import os
from typing import Any

import pytest

from model.reading import Implausible, Line, Recognition, recognition
from model.workers import memfd

LINE = {"text": "4711", "confidence": 0.5, "polygon": [[0, 0], [9, 0], [9, 9], [0, 9]]}
RESULT = {"detect_ms": 1.5, "recognise_ms": 2, "lines": [LINE]}


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
    "no time": json.dumps({**RESULT, "detect_ms": float("nan")}).encode(),
    "giant number": json.dumps({**RESULT, "detect_ms": 10**400}).encode(),
}


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
