"""What an engine answers is measured before it is believed."""

import json
import os
from typing import Any

import pytest

from model.reading import Implausible, Line, lines_and_times
from model.workers import memfd

LINE = {"text": "4711", "confidence": 0.5, "polygon": [[0, 0], [9, 0], [9, 9], [0, 9]]}
RESULT = {"detect_ms": 1.5, "recognise_ms": 2, "lines": [LINE]}


def taken(result: bytes, answer: Any = None, room_bytes: int = 100_000) -> Any:
    """Return what is made of a result in its room."""
    room = memfd.room("reading", room_bytes)
    try:
        memfd.fill(room, result)
        return lines_and_times(answer or {"bytes": len(result)}, room, room_bytes)
    finally:
        os.close(room)


def test_a_result_is_taken() -> None:
    """Else the lies below would prove nothing."""
    lines, times = taken(json.dumps(RESULT).encode())
    assert lines == (Line("4711", 0.5, ((0, 0), (9, 0), (9, 9), (0, 9))),)
    assert times == {"detect": 1.5, "recognise": 2.0}


LIES = {
    "no JSON": b"{",
    "a list": b"[]",
    "no lines": b"{}",
    "deep": b"[" * 50_000,
    "no text": json.dumps({**RESULT, "lines": [{**LINE, "text": 1}]}).encode(),
    "half a pair": json.dumps({**RESULT, "lines": [{**LINE, "text": "\ud800"}]}).encode(),
    "no box": json.dumps({**RESULT, "lines": [{**LINE, "polygon": []}]}).encode(),
    "endless box": json.dumps(
        {**RESULT, "lines": [{**LINE, "polygon": [[float("inf"), 0]] * 4}]}
    ).encode(),
    "no confidence": json.dumps({**RESULT, "lines": [{**LINE, "confidence": "x"}]}).encode(),
    "NaN": json.dumps({**RESULT, "lines": [{**LINE, "confidence": float("nan")}]}).encode(),
    "no time": json.dumps({**RESULT, "detect_ms": float("nan")}).encode(),
    "giant number": json.dumps({**RESULT, "detect_ms": 10**400}).encode(),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_a_lie_is_implausible(lie: bytes) -> None:
    """None of it reaches a caller, and none is an error of ours."""
    with pytest.raises(Implausible):
        taken(lie)


@pytest.mark.parametrize("length", [0, -1, 1 << 30, 1.5, True, None, "9", 100_001])
def test_a_length_that_cannot_be_is_implausible(length: object) -> None:
    """Nor is more read than there is room."""
    with pytest.raises(Implausible):
        taken(json.dumps(RESULT).encode(), {"bytes": length})
