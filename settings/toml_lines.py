"""The lines of a TOML document's keys and tables, which tomllib does not tell."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

Loc = tuple[int | str, ...]
"""Where a value is: the keys that lead to it, and indices in lists."""


CLOSING = ("]", "}", '"""', "'''")
"""What the last line of a statement of several lines has, one of these."""


def key_lines(text: str) -> dict[Loc, int]:
    """Return the line of each key, table header and list entry of a valid document."""
    found: dict[Loc, int] = {}
    entries: dict[Loc, int] = {}  # how many headers [[...]] each list has had so far
    table: Loc = ()
    for number, statement, parsed in _statements(text):
        if statement.lstrip().startswith("["):
            table = _header(parsed, entries)
            found.setdefault(table, number)
        else:
            for loc in _locs(parsed, table):
                found.setdefault(loc, number)
    return found


def entry_lines(text: str, table: str) -> list[range]:
    """Return the lines, from 0, of each [[table]] entry: from its header to its last value.

    A subtable that follows is part of it; the comments around it are not.
    """
    lines = text.split("\n")
    found: list[range] = []
    inside = False
    for start, count, parsed in _parsed(lines):
        if not parsed:
            continue
        if lines[start].lstrip().startswith("["):
            [(name, value)] = parsed.items()
            inside = name == table and (inside or value == [{}])
            if inside and value == [{}]:
                found.append(range(start, start))
        if inside:
            found[-1] = range(found[-1].start, start + count)
    return found


def unfinished_line(text: str) -> int | None:
    """Return the line of the first statement that is not valid by itself; None without one."""
    lines = text.replace("\r\n", "\n").split("\n")
    read = sum(count for _, count, _ in _parsed(lines))
    return read + 1 if read < len(lines) else None


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    lines = text.replace("\r\n", "\n").split("\n")
    for start, _, parsed in _parsed(lines):
        if parsed:
            yield start + 1, lines[start], parsed


def _parsed(lines: list[str]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield each statement's first line, how many lines it has, and its values.

    A statement ends with the first line up to which it can be parsed: an open list or string
    cannot, and what follows an ended statement is the next one.
    """
    start = 0
    while start < len(lines):
        for end in range(start + 1, len(lines) + 1):
            if end > start + 1 and not any(each in lines[end - 1] for each in CLOSING):
                continue
            try:
                parsed = tomllib.loads("\n".join(lines[start:end]))
            except tomllib.TOMLDecodeError:
                continue
            yield start, end - start, parsed
            start = end
            break
        else:
            return


def _header(parsed: Mapping[str, Any], entries: dict[Loc, int]) -> Loc:
    """Return the loc of a table header: `[a.b]` or `[[a.b]]`, each alone in its document."""
    loc: Loc = ()
    node: Any = parsed
    while node:
        [(key, node)] = node.items()
        loc = (*loc, key)
        if isinstance(node, list):
            entries[loc] = entries.get(loc, 0) + 1
            [node] = node
        if loc in entries:
            loc = (*loc, entries[loc] - 1)
    return loc


def _locs(value: object, loc: Loc) -> Iterator[Loc]:
    """Yield the locs of all values inside a value."""
    inside: list[tuple[int | str, object]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    for key, item in inside:
        yield (*loc, key)
        yield from _locs(item, (*loc, key))
