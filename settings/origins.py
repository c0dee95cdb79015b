"""Which source sets a value, and how the value is called in a message."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from settings.sources import Source
from settings.suggestions import IDENTITY, bracketed
from settings.toml_lines import Loc


class Origins:
    """The sources in ascending priority, and what they merged to."""

    def __init__(self, sources: Sequence[Source], merged: Mapping[str, Any]) -> None:
        self._sources = sources
        self._merged = merged

    def where(self, *locs: Loc) -> str:
        """Return where values are set, as the beginning of a message: `settings.toml:12`.

        The entry of a list of tables may be named by its id or path. What no source sets is where
        its table is.
        """
        for shorter in range(3):
            found = [self._place(loc[: len(loc) - shorter]) for loc in locs]
            places = list(dict.fromkeys(place for place in found if place))
            if places:
                return ", ".join(places)
        return self._sources[0].name

    def holders(self, table: str, identity: str) -> list[str]:
        """Return where each source that has an entry of a list of tables has it."""
        return [
            source.place(loc)
            for source in self._sources
            for loc in self._same_entries(source, table, identity)
        ]

    def label(self, loc: Loc) -> str:
        """Return what a value is called: `[limits] per_key`, `[[keys]] a1b2 sha256`, `bind`."""
        if not loc:
            return ""
        table, rest = str(loc[0]), loc[1:]
        parts = [] if table == "server" else [bracketed(table)]
        if table in IDENTITY and rest:
            parts.append(self._name_of_entry(table, rest[0]))
            rest = rest[1:]
        parts += [f"(entry {part + 1})" if isinstance(part, int) else part for part in rest]
        return " ".join(parts)

    def _name_of_entry(self, table: str, entry: int | str) -> str:
        if isinstance(entry, str):
            return entry
        name = _identity(self._merged[table][entry], table)
        return name if isinstance(name, str) else f"entry {entry + 1}"

    def _place(self, loc: Loc) -> str | None:
        """Return where the source with the highest priority that sets a value sets it."""
        if len(loc) > 1 and loc[0] in IDENTITY:
            return self._place_in_entry(str(loc[0]), loc[1], loc[2:])
        for source in reversed(self._sources):
            if loc and _holds(source.values, loc):
                return source.place(loc)
        return None

    def _place_in_entry(self, table: str, entry: int | str, rest: Loc) -> str | None:
        in_order = reversed(self._sources) if rest else iter(self._sources)
        for source in in_order:
            for loc in self._same_entries(source, table, entry):
                if _holds(source.values, (*loc, *rest)):
                    return source.place((*loc, *rest))
        return None

    def _same_entries(self, source: Source, table: str, entry: int | str) -> Iterator[Loc]:
        """Yield the locs of an entry in one source; of several with one id the fitting first."""
        entries = source.values.get(table)
        if not isinstance(entries, list):
            return
        merged = self._merged.get(table, [])
        wanted = merged[entry] if isinstance(entry, int) else {IDENTITY[table]: entry}
        name = _identity(wanted, table)
        same = [
            index
            for index, each in enumerate(entries)
            if each == wanted or (name is not None and _identity(each, table) == name)
        ]
        before = 0
        if isinstance(entry, int):
            before = sum(_identity(each, table) == name for each in merged[:entry])
        yield from ((table, index) for index in same[before:] + same[:before])


def _identity(entry: object, table: str) -> object:
    return entry.get(IDENTITY[table]) if isinstance(entry, dict) else None


def _holds(values: object, loc: Loc) -> bool:
    node: Any = values
    part: Any
    for part in loc:
        inside: Any = range(len(node)) if isinstance(node, list) else node
        if not isinstance(node, list | Mapping) or part not in inside:
            return False
        node = node[part]
    return True
