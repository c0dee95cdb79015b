"""What groups of requests have used, as a table for people, TSV or JSON."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields

from service.log_text import printable

TOTAL = "total"
NOTHING = "-"  # in a table for people: no key, no function, no status

Group = tuple[str | int | None, ...]


@dataclass(slots=True)
class Use:
    """What a group of requests has used."""

    requests: int = 0
    errors: int = 0
    pages: int = 0
    lines: int = 0
    bytes: int = 0

    def add(self, other: "Use") -> None:
        """Add what others have used."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def rows_of(used: Mapping[Group, Use]) -> list[tuple[Group, Use]]:
    """Return the groups in order; what is missing comes first."""
    return sorted(used.items(), key=lambda row: [(each is not None, str(each)) for each in row[0]])


def as_json(by: Sequence[str], used: Mapping[Group, Use]) -> str:
    """Return an object for each group."""
    names = [each.name for each in fields(Use)]
    found = [
        dict(zip([*by, *names], [*group, *astuple(use)], strict=True))
        for group, use in rows_of(used)
    ]
    return json.dumps(found, indent=1)


def as_tsv(by: Sequence[str], used: Mapping[Group, Use]) -> str:
    """Return a line for each group, and the names of the columns before them."""
    lines = [[*by, *(each.name for each in fields(Use))]]
    lines += [
        [*("" if each is None else printable(str(each)) for each in group), *map(str, astuple(use))]
        for group, use in rows_of(used)
    ]
    return "\n".join("\t".join(line) for line in lines)


def as_text(by: Sequence[str], used: Mapping[Group, Use]) -> str:
    """Return a table for people, with the sum of several groups below."""
    total = Use()
    for use in used.values():
        total.add(use)
    rows = [
        [*(NOTHING if each is None else printable(str(each)) for each in group), *counts(use)]
        for group, use in rows_of(used)
    ]
    if len(rows) > 1:
        rows.append([TOTAL, *[""] * (len(by) - 1), *counts(total)])
    table = [[*by, *(each.name for each in fields(Use))], *rows]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            pad(cell, widths[number], left=number < len(by)) for number, cell in enumerate(row)
        ).rstrip()
        for row in table
    )


def counts(use: Use) -> list[str]:
    """Return the numbers, with a comma for each thousand."""
    return [f"{number:,}" for number in astuple(use)]


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes; a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def pad(text: str, columns: int, *, left: bool) -> str:
    """Return a text with spaces, at the left or right of its columns."""
    spaces = " " * (columns - width(text))
    return text + spaces if left else spaces + text


FORMATS = {"text": as_text, "tsv": as_tsv, "json": as_json}
