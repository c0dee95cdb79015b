"""The [[keys]] entries of a TOML text: added, changed and removed, and no other byte of it.

tomlkit writes the values of one entry at a time. It is not given the whole text: it counts the
comment above an entry to the one before, and moves entries together that have other tables between
them (docs/decisions/0032-keys.md).
"""

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import AoT, Table

from settings import SettingsError
from settings.toml_file import parse
from settings.toml_lines import entry_lines

TABLE = "keys"
Entry = dict[str, Any]


def entries_of(text: str, name: str) -> list[Entry]:
    """Return the entries of a text.

    Raises:
        SettingsError: the file `name` is not valid TOML, or has its entries in another form.

    """
    document = parse(text, name)
    found = document.get(TABLE, [])
    written = len(entry_lines(text, TABLE))
    if not isinstance(found, list) or len(found) != written or (TABLE in document and not written):
        raise SettingsError(
            f"{name}: keys is not written as [[keys]] entries, the only form that this command "
            "edits; write each entry as a table of its own that begins with [[keys]]"
        )
    return found


def added(text: str, name: str, entry: Entry) -> str:
    """Return the text with one more entry, after the last one."""
    before = entries_of(text, name)
    lines = text.split("\n")
    spans = entry_lines(text, TABLE)
    end = _with_comments_below(lines, spans[-1]).stop if spans else len(lines)
    above, below = lines[:end], lines[end:]
    while above and not above[-1].strip():
        above.pop()
    gap = [""] if above else []
    rest = ["", *below] if below and below[0].strip() else below or [""]
    document = tomlkit.document()
    document.append(TABLE, tomlkit.aot())
    _table(document, -1, append=True).update(_items(entry))
    written = tomlkit.dumps(document).strip("\n").split("\n")
    after = "\n".join([*above, *gap, *written, *rest])
    return _checked(after, name, text, [*before, entry])


def changed(text: str, name: str, index: int, values: Mapping[str, Any]) -> str:
    """Return the text with other values in one entry; None removes a value."""
    expected = entries_of(text, name)
    expected[index] = {
        key: value for key, value in {**expected[index], **values}.items() if value is not None
    }
    lines = text.split("\n")
    span = entry_lines(text, TABLE)[index]
    document = tomlkit.parse("\n".join(lines[span.start : span.stop]) + "\n")
    table = _table(document, 0)
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    written = tomlkit.dumps(document).strip("\n").split("\n")
    after = "\n".join([*lines[: span.start], *written, *lines[span.stop :]])
    return _checked(after, name, text, expected)


def removed(text: str, name: str, index: int) -> str:
    """Return the text without one entry, and without the comments that adjoin it."""
    expected = entries_of(text, name)
    del expected[index]
    lines = text.split("\n")
    span = _with_comments_below(lines, entry_lines(text, TABLE)[index])
    start, stop = span.start, span.stop
    while start and lines[start - 1].startswith("#"):
        start -= 1
    above, below = lines[:start], lines[stop:]
    while below and not below[0].strip() and (not above or not above[-1].strip()):
        below.pop(0)  # one empty line stays between what is above and what is below
    if not below:
        while above and not above[-1].strip():
            above.pop()
        below = [""]
    return _checked("\n".join([*above, *below]), name, text, expected)


def _with_comments_below(lines: list[str], span: range) -> range:
    """Return the lines of an entry with the comments right below it, unless they are the next's."""
    stop = span.stop
    while stop < len(lines) and lines[stop].startswith("#"):
        stop += 1
    above_a_table = stop < len(lines) and lines[stop].lstrip().startswith("[")
    return span if above_a_table else range(span.start, stop)


def _items(entry: Entry) -> Entry:
    """Return the values with tables in one line, as settings.toml shows them."""
    items: Entry = {}
    for key, value in entry.items():
        items[key] = value
        if isinstance(value, dict):
            items[key] = tomlkit.inline_table()
            items[key].update(value)
    return items


def _table(document: tomlkit.TOMLDocument, index: int, *, append: bool = False) -> Table:
    tables = document[TABLE]
    if not isinstance(tables, AoT):
        raise TypeError(type(tables))
    if append:
        tables.append(tomlkit.table())
    return tables[index]


def _checked(after: str, name: str, before: str, expected: list[Entry]) -> str:
    """Return a text if it differs from the one before in its entries only, as expected.

    Raises:
        SettingsError: it does not.

    """
    document = {**parse(before, name), TABLE: expected}
    try:
        same = {TABLE: [], **parse(after, name)} == document
    except SettingsError:
        same = False
    if not same:
        raise SettingsError(
            f"{name}: its [[keys]] entries cannot be edited: a table such as [keys.limits] stands "
            "apart from its entry; put it right below"
        )
    return after
