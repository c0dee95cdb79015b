"""The lines of keys in TOML documents."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from settings.toml_lines import Loc, key_lines, unfinished_line

SHIPPED = Path(__file__).parents[2] / "settings.toml"
TEXT = '''
top = 1
list = [ # a comment with ] and "
  "a",
  "b # c",
]
text = """
[not.a.table]
key = 2
"""
"quoted key" = { inner = 3, other = [1] }
a.dotted.key = 4

[table]
key = 5
[table."sub table"]
key = 6
[[keys]]
id = "one"
[keys.limits]
"*" = "1/minute"

[[keys]]
id = "two"
'''
EXPECTED: dict[Loc, int] = {
    ("top",): 2,
    ("list",): 3,
    ("list", 1): 3,
    ("text",): 7,
    ("quoted key", "inner"): 11,
    ("quoted key", "other", 0): 11,
    ("a", "dotted", "key"): 12,
    ("table",): 14,
    ("table", "key"): 15,
    ("table", "sub table"): 16,
    ("table", "sub table", "key"): 17,
    ("keys", 0): 18,
    ("keys", 0, "id"): 19,
    ("keys", 0, "limits"): 20,
    ("keys", 0, "limits", "*"): 21,
    ("keys", 1): 23,
    ("keys", 1, "id"): 24,
}


def test_the_lines_of_keys() -> None:
    """Of tables, lists of tables, inline tables and dotted keys; not of what is in a string."""
    found = key_lines(TEXT)
    assert {loc: found.get(loc) for loc in EXPECTED} == EXPECTED
    assert not any("not" in loc for loc in found)
    assert key_lines(TEXT.replace("\n", "\r\n")) == found


def test_every_key_of_the_shipped_file_has_its_line() -> None:
    """The line begins with the key."""
    text = SHIPPED.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = key_lines(text)
    for table, values in tomllib.loads(text).items():
        if isinstance(values, dict):
            for key in values:
                assert lines[found[table, key] - 1].startswith(f"{key} = ")


def test_a_long_list_is_parsed_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once for each of its lines; the key after it has its line."""
    loads, parsed = tomllib.loads, []

    def count(text: str) -> dict[str, Any]:
        parsed.append(text)
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", count)
    long = "a = [\n" + '"x",\n' * 500 + "]\nb = 1"
    assert key_lines(long)["b",] == 503
    assert len(parsed) == 3
    assert unfinished_line(long.replace("]", "")) == 1
    assert len(parsed) == 4


def test_an_unfinished_statement_is_found() -> None:
    """By its first line; a valid document has none."""
    assert unfinished_line("a = 1\nb = [\n1,\nc = 2\n") == 2
    assert unfinished_line("a = 1\na = 2\n") is None
