"""SECURITY.md claims nothing without a test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))


@pytest.mark.parametrize(("file", "function"), NAMED)
def test_the_test_it_names_exists(file: str, function: str) -> None:
    """A test that was renamed or removed takes its claim with it."""
    source = (ROOT / file).read_text(encoding="utf-8")
    assert not function or re.search(rf"^(async )?def {function}\(", source, re.MULTILINE)


def test_every_row_of_the_tables_names_one() -> None:
    """Seven boundaries, ten risks."""
    rows = [line for line in TEXT.splitlines() if line.startswith("|") and "---" not in line]
    headers = [row for row in rows if row.startswith(("| boundary", "| risk"))]
    assert len(headers) == 2
    assert len(rows) == 2 + 7 + 10
    assert all("`tests/" in row for row in rows if row not in headers)
