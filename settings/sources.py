"""The four sources of settings.

In ascending priority: settings.toml, settings.local.toml beside it, a directory of secrets, OCR_...
variables. Hypercorn reads settings.toml itself and nothing else, so the others can set our tables
only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from settings.errors import SettingsError
from settings.merging import merge
from settings.schema import Settings
from settings.server import UNSUPPORTED, Server
from settings.suggestions import suggest_table, suggestion
from settings.toml_file import parse, read_text
from settings.toml_lines import Loc, key_lines
from settings.variables import DELIMITER, value_of

PREFIX = "OCR_"
NOT_TABLES = ("OCR_SETTINGS", "OCR_SECRETS_DIR")


@dataclass(frozen=True, slots=True)
class Source:
    """A source of settings: its name in messages, its values, and what is wrong with it itself.

    `places` returns where each value is: the line of a file, the name of a variable.
    """

    name: str
    values: dict[str, Any]
    mistakes: tuple[str, ...] = ()
    places: Callable[[], Mapping[Loc, str]] = dict
    complete: bool = True
    """Whether all of it could be read."""

    def place(self, loc: Loc) -> str:
        """Return where a value is, or else what holds it."""
        places = self.places()
        for length in range(len(loc), 0, -1):
            if loc[:length] in places:
                return places[loc[:length]]
        return self.name


def main_file(path: Path, text: str | None = None) -> Source:
    """Return settings.toml; values at its top level are Hypercorn's, tables the service's.

    A `text` is read in place of the file.
    """
    source = _toml(path, text)
    tables = {key: value for key, value in source.values.items() if _is_ours(key, value)}
    server = {key: value for key, value in source.values.items() if key not in tables}

    @cache
    def places() -> dict[Loc, str]:
        found = source.places()
        ours = {loc: place for loc, place in found.items() if loc[0] in tables}
        theirs = {("server", *loc): place for loc, place in found.items() if loc[0] in server}
        return ours | theirs

    known, mistakes = _known_tables(source, tables)
    mistakes = (*source.mistakes, *mistakes)
    return Source(path.name, {"server": server, **known}, mistakes, places, source.complete)


def local_file(path: Path, text: str | None = None) -> Source:
    """Return settings.local.toml, which need not exist and may have tables only.

    A `text` is read in place of the file.
    """
    if text is None and not path.exists():
        return Source(path.name, {})
    source = _toml(path, text)
    strays = {key for key, value in source.values.items() if not _is_ours(key, value)}
    said = tuple(
        f"{source.place((key,))}: {key}: not in a table; {hint}"
        if (hint := suggest_table(key))
        else _hypercorn_alone(f"{source.place((key,))}: {key}", key)
        for key in source.values
        if key in strays
    )
    tables = {key: value for key, value in source.values.items() if key not in strays}
    known, mistakes = _known_tables(source, tables)
    mistakes = (*source.mistakes, *said, *mistakes)
    return Source(path.name, known, mistakes, source.places, source.complete)


def secrets(directory: Path | None) -> Source:
    """Return a directory of files such as `limits__storage`, as container secrets are mounted."""
    if directory is None:
        return Source("secrets", {})
    if not directory.is_dir():
        return Source(
            "secrets", {}, (f"OCR_SECRETS_DIR: {directory} is not a directory",), complete=False
        )
    try:
        files = sorted(each for each in directory.iterdir() if not each.name.startswith("."))
    except OSError as error:
        said = f"OCR_SECRETS_DIR: {directory} cannot be read: {error.strerror}"
        return Source("secrets", {}, (said,), complete=False)
    texts, unreadable = {}, []
    for file in files:
        try:
            texts[file.name] = file.read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            unreadable.append(f"{directory.name}/{file.name} cannot be read: it is not UTF-8")
        except OSError as error:
            unreadable.append(f"{directory.name}/{file.name} cannot be read: {error.strerror}")
    return _texts(
        texts, f"{directory.name}/", prefix="", where=f"{directory.name}/", unread=unreadable
    )


def environment(variables: Mapping[str, str]) -> Source:
    """Return the variables OCR_<TABLE>__<KEY>; lists and tables are JSON."""
    names = [name for name in variables if name.upper().startswith(PREFIX)]
    ours = {name: variables[name] for name in names if name not in NOT_TABLES}
    return _texts(ours, "the environment", prefix=PREFIX, where="", unread=[])


def _toml(path: Path, text: str | None) -> Source:
    try:
        text = read_text(path) if text is None else text
        values = parse(text, path.name)
    except SettingsError as error:
        return Source(path.name, {}, (str(error),), complete=False)

    @cache  # not for each mistake: it reads the whole text once more
    def places() -> dict[Loc, str]:
        return {loc: f"{path.name}:{line}" for loc, line in key_lines(text).items()}

    return Source(path.name, values, places=places)


def _is_ours(key: str, value: object) -> bool:
    """Return whether a key is a table, or has the name of one of the service's tables."""
    if key in Settings.tables() or isinstance(value, dict):
        return True
    return isinstance(value, list) and any(isinstance(entry, dict) for entry in value)


def _known_tables(
    source: Source, tables: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the service's tables, and what is said of the others."""
    known = {name: table for name, table in tables.items() if name in Settings.tables()}
    mistakes = tuple(
        f"{source.place((name,))}: [{name}]: unknown table; {suggestion(name, Settings.tables())}"
        for name in tables
        if name not in known
    )
    return known, mistakes


def _texts(
    texts: Mapping[str, str], name: str, *, prefix: str, where: str, unread: Iterable[str]
) -> Source:
    """Return the source of texts that are named as tables and keys are."""
    values: dict[str, Any] = {}
    places: dict[Loc, str] = {}
    mistakes = [*unread]
    for each in sorted(texts, key=str.lower):  # a whole table before its keys
        table, _, key = each[len(prefix) :].lower().partition(DELIMITER)
        said = _unknown_name(each, table, prefix=prefix)
        if said is not None:
            mistakes.append(f"{where}{each} {said}")
            continue
        values = merge([values, value_of(each, texts[each], prefix=prefix)])
        places[(table, key.partition(DELIMITER)[0]) if key else (table,)] = f"{where}{each}"
    return Source(name, values, tuple(mistakes), lambda: places, complete=not unread)


def _unknown_name(name: str, table: str, *, prefix: str) -> str | None:
    """Return what is wrong with a name that matches no table, which would have no effect."""
    if table in Server.model_fields or table in UNSUPPORTED or table == "server":
        return _hypercorn_alone("", table).lstrip()
    if table in Settings.tables():
        return None
    known = [f"{prefix}{known.upper() if prefix else known}" for known in Settings.tables()]
    known += NOT_TABLES if prefix else ()
    return f"matches no table of settings.toml; {suggestion(name, known)}"


def _hypercorn_alone(where: str, key: str) -> str:
    return f"{where} has no effect: Hypercorn reads settings.toml itself; set {key} there"
