"""The format of the log."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from middleware.log import entry


@given(st.text())
def test_an_entry_is_one_line_of_ascii(text: str) -> None:
    """Line breaks and other characters are escaped, and decoded again."""
    line = entry(what=text)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["what"] == text


def test_an_entry_starts_with_its_time() -> None:
    """In UTC, to the second."""
    document = json.loads(entry(event="x"))
    assert list(document) == ["at", "event"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["at"])
