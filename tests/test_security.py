"""Each claim of SECURITY.md names a test that exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))


@pytest.mark.parametrize(("file", "function"), NAMED)
def test_the_test_it_names_exists(file: str, function: str) -> None:
    """The file, and the function in it where one is named."""
    source = (ROOT / file).read_text(encoding="utf-8")
    assert not function or re.search(rf"^(async )?def {function}\(", source, re.MULTILINE)


def test_every_row_of_the_tables_names_one() -> None:
    """The tables of boundaries and of risks: no row is without a test."""
    rows = [line for line in TEXT.splitlines() if line.startswith("|") and "---" not in line]
    headers = [row for row in rows if row.startswith(("| boundary", "| risk"))]
    assert len(headers) == 2
    assert [row for row in rows if row not in headers and "`tests/" not in row] == []
