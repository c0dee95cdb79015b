"""The log as text: a line that a person reads, and that no value can forge."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.log import entry
from service.log import choose_format, log_event
from service.log_text import RED, RESET, text_line

REQUEST: dict[str, Any] = {
    "request_id": "69ee", "address": "192.0.2.1", "key": "Books", "key_id": "aaaa1111",
    "method": "POST", "function": "/ocr", "http": "2", "status": 200, "complete": True,
    "problem": None, "bytes": 9, "images": 1, "pages": 1, "lines": 7, "ms": 303.1,
}  # fmt: skip


def text(*, colour: bool = False, **fields: object) -> str:
    """Return the text of an entry, without its time."""
    line = text_line(entry(**fields), colour=colour)
    return line if colour else line[len("11:22:33  ") :]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "aaaa1111     POST /ocr 200 303 ms 1 page"),
        ({"pages": 12}, "aaaa1111     POST /ocr 200 303 ms 12 pages"),
        (
            {"key_id": None, "function": None, "status": 401, "pages": None,
             "problem": "x", "reason": "expired"},
            "-            POST - 401 303 ms x (expired) request 69ee from 192.0.2.1",
        ),
        (
            {"status": None, "complete": False, "pages": None, "problem": "client_left"},
            "aaaa1111     POST /ocr - 303 ms incomplete client_left request 69ee from 192.0.2.1",
        ),
    ],
)  # fmt: skip
def test_a_request_is_one_line(fields: dict[str, Any], expected: str) -> None:
    """Key id, method, path, status, milliseconds, pages; of an error also what identifies it."""
    assert text(**REQUEST | fields) == expected


def test_an_event_is_said_in_words() -> None:
    """Without the facts that are empty."""
    said = text(event="x_loaded", tables=["keys", "hsts"], days_left=9.5, ok=True, problem=None)
    assert said == "x_loaded: tables keys hsts, days left 9.5, ok yes"
    said = text(
        event="x_loaded", keys={"added": ["a1"], "removed": []}, left={"x": []}, error="1\n2"
    )
    assert said == "x_loaded: keys added a1, error 1; 2"


@pytest.mark.parametrize(
    ("fields", "red"),
    [
        (REQUEST, False),
        (REQUEST | {"status": 404, "problem": "not_found"}, False),
        (REQUEST | {"status": 500, "problem": "internal_error"}, True),
        ({"event": "tls"}, False),
        ({"event": "certificate_not_loaded", "error": "x"}, True),
    ],
)
def test_errors_are_red(fields: dict[str, Any], *, red: bool) -> None:
    """Of requests those that the service is to blame for."""
    line = text(colour=True, **fields)
    assert (line.startswith(RED) and line.endswith(RESET)) == red
    assert ("\x1b" in line) == red


@given(st.text(), st.text())
def test_no_value_can_forge_a_line_or_move_the_cursor(name: str, address: str) -> None:
    """Whatever is not printable is escaped."""
    fields = REQUEST | {"key_id": name, "address": address, "problem": name}
    assert text_line(entry(**fields), colour=False).isprintable()
    assert text_line(entry(event=name, fact=[address, {name: address}]), colour=False).isprintable()


@pytest.fixture
def unchanged() -> Iterator[None]:
    """Restore the format after the test."""
    yield
    choose_format("json")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("wanted", ["auto", "text", "json"])
@pytest.mark.parametrize("no_color", ["", "1"])
def test_the_format_follows_the_setting_and_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wanted: str,
    no_color: str,
    *,
    terminal: bool,
) -> None:
    """With "auto" it is text on a terminal alone; colour needs a terminal, and no NO_COLOR."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setenv("NO_COLOR", no_color)
    choose_format(wanted)
    log_event(event="x", error="y")
    line = capsys.readouterr().out
    as_text = wanted == "text" or (wanted == "auto" and terminal)
    assert line.startswith("{") != as_text
    assert (RED in line) == (as_text and terminal and not no_color)
    if not as_text:
        assert json.loads(line)["event"] == "x"
