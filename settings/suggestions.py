"""Hints at what a misspelled or misplaced name was meant to be."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from settings.schema import Settings
from settings.server import UNSUPPORTED, Server
from settings.toml_lines import Loc

IDENTITY = {"keys": "id", "functions": "path"}
"""The key by which the entries of a list of tables are told apart."""


def class_of(annotation: Any) -> Any:
    """Return the class of a table, or of each entry of a list of tables."""
    return next((kind for kind in get_args(annotation) if isinstance(kind, type)), annotation)


def table_class(name: str) -> Any:
    """Return the class of a table by its name."""
    return class_of(Settings.model_fields[name].annotation)


def bracketed(table: str) -> str:
    """Return a table's name as written in TOML."""
    return f"[[{table}]]" if table in IDENTITY else f"[{table}]"


def suggest_table(key: str) -> str | None:
    """Return a hint at the tables that have a key; None for Hypercorn's keys and unknown ones."""
    homes = [bracketed(name) for name in Settings.tables() if key in table_class(name).model_fields]
    if key in Server.model_fields or key in UNSUPPORTED or not homes:
        return None
    return f"did you mean {key} of {' or '.join(homes)}?"


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name most similar to `name`, or at all known names."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"valid names: {', '.join(known)}"


def unknown_key(table: str, key: str) -> str:
    """Return what is said of a key that a table does not have."""
    if table == "server" and key in UNSUPPORTED:
        return f"not supported: {UNSUPPORTED[key]}"
    if table == "server" and (hint := suggest_table(key)):
        return f"unknown key; {hint}"
    return f"unknown key; {suggestion(key, table_class(table).model_fields)}"


def similar_path(loc: Loc, merged: Mapping[str, Any]) -> str:
    """Return a hint at the function that an entry without a handler was meant to change, or ""."""
    match loc:
        case ("functions", int() as index, "handler"):
            path, *others = (
                str(entry.get("path", ""))
                for entry in (merged["functions"][index], *merged["functions"])
            )
            close = difflib.get_close_matches(path, {*others} - {path}, n=1)
            return f"; did you mean the path {close[0]}?" if close else ""
    return ""
