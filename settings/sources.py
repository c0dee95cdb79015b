"""The four sources of settings, and how they are merged.

In ascending priority: settings.toml, settings.local.toml beside it, a directory of secrets, OCR_...
variables. Tables merge key by key, as do `[[keys]]` of one id and `[[functions]]` of one path.
Hypercorn reads settings.toml itself and nothing else, so the others can set our tables only.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic_settings import EnvSettingsSource
from pydantic_settings import SettingsError as ValueNotJsonError

from settings.schema import Settings
from settings.server import UNSUPPORTED, Server

PREFIX = "OCR_"
NOT_TABLES = ("OCR_SETTINGS", "OCR_SECRETS_DIR")
TOML_TYPES: Mapping[Any, str] = {
    int: "a number",
    float: "a number",
    bool: "true or false",
    int | Literal["auto"]: 'a number or "auto"',
}
IDENTITY = {"keys": "id", "functions": "path"}


class SettingsError(Exception):
    """The settings are invalid; the message names the file, the key and how to fix it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source of settings: its name in messages, and its values."""

    name: str
    values: dict[str, Any]


def main_file(path: Path) -> Source:
    """Return settings.toml; values at its top level are Hypercorn's, tables the service's."""
    document = _read_toml(path)
    tables = {key: value for key, value in document.items() if _is_ours(key, value)}
    server = {key: value for key, value in document.items() if key not in tables}
    _check_tables(tables, path.name)
    return Source(path.name, {"server": server, **tables})


def local_file(path: Path) -> Source:
    """Return settings.local.toml, which need not exist and may have tables only."""
    document = _read_toml(path) if path.exists() else {}
    for key, value in document.items():
        if not _is_ours(key, value):
            if hint := suggest_table(key):
                raise SettingsError(f"{path.name}: {key}: not in a table; {hint}")
            raise SettingsError(_hypercorn_alone(f"{path.name}: {key}", key))
    _check_tables(document, path.name)
    return Source(path.name, document)


def secrets(directory: Path | None) -> Source:
    """Return a directory of files such as `limits__storage`, as container secrets are mounted."""
    if directory is None:
        return Source("secrets", {})
    if not directory.is_dir():
        raise SettingsError(f"OCR_SECRETS_DIR: {directory} is not a directory")
    files = [entry for entry in directory.iterdir() if not entry.name.startswith(".")]
    where = f"{directory.name}/"
    _check_names([file.name for file in files], prefix="", where=where)
    try:
        contents = {file.name: file.read_text(encoding="utf-8").strip() for file in files}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where} cannot be read: {error}") from None
    return Source(where, _values(contents, prefix="", where=where))


def environment(variables: Mapping[str, str]) -> Source:
    """Return the variables OCR_<TABLE>__<KEY>; lists and tables are JSON."""
    names = [name for name in variables if name.upper().startswith(PREFIX)]
    ours = {name: variables[name] for name in names if name not in NOT_TABLES}
    _check_names(ours, prefix=PREFIX, where="")
    where = "the environment"
    return Source(where, _values(ours, prefix=PREFIX, where=where))


def merge(sources: Iterable[Source]) -> dict[str, Any]:
    """Return the values of all sources; later ones take precedence."""
    merged: dict[str, Any] = {}
    for source in sources:
        merged = _merge_tables(merged, source.values)
    return merged


def _merge_tables(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        present = merged.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            merged[key] = _merge_tables(present, value)
        elif key in IDENTITY and isinstance(present, list) and isinstance(value, list):
            merged[key] = _merge_entries(present, value, IDENTITY[key])
        else:
            merged[key] = value
    return merged


def _merge_entries(base: list[Any], over: list[Any], identity: str) -> list[Any]:
    """Merge each entry of `over` into the one with its identity, or add it; keep duplicates."""
    merged: list[Any] = []
    for entry in base:
        updates = [new for new in over if _same_identity(entry, new, identity)]
        merged += [_merge_tables(entry, new) for new in updates] or [entry]
    return merged + [
        new for new in over if not any(_same_identity(entry, new, identity) for entry in base)
    ]


def _same_identity(one: object, other: object, identity: str) -> bool:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return False
    return identity in one and one[identity] == other.get(identity)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist; set OCR_SETTINGS to use another file"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path.name} is not valid TOML: {error}") from None


def _is_ours(key: str, value: object) -> bool:
    """Return whether a key is a table, or has the name of one of the service's tables."""
    if key in Settings.tables() or isinstance(value, dict):
        return True
    return isinstance(value, list) and any(isinstance(entry, dict) for entry in value)


def _check_tables(tables: Mapping[str, Any], where: str) -> None:
    for name, table in tables.items():
        if name not in Settings.tables():
            raise SettingsError(
                f"{where}: [{name}]: unknown table; {suggestion(name, Settings.tables())}"
            )
        for entry in table if isinstance(table, list) else [table]:
            if isinstance(entry, Mapping):
                _check_types(name, entry, where)


def _check_types(name: str, entry: Mapping[str, Any], where: str) -> None:
    """Reject a TOML string for a number or boolean; environment variables are always strings."""
    model = class_of(Settings.model_fields[name].annotation)
    for key, value in entry.items():
        field = model.model_fields.get(key)
        wanted = TOML_TYPES.get(field.annotation) if field else None
        if wanted and isinstance(value, str) and value not in _words(field.annotation):
            raise SettingsError(
                f"{where}: {_bracketed(name)} {key}: {value!r} is a string; expected {wanted}"
            )


def class_of(annotation: Any) -> Any:
    """Return the class of a table, or of each entry of a list of tables."""
    return next((kind for kind in get_args(annotation) if isinstance(kind, type)), annotation)


def _bracketed(table: str) -> str:
    """Return a table's name as written in TOML."""
    return f"[[{table}]]" if table in IDENTITY else f"[{table}]"


def _words(annotation: object) -> set[object]:
    """Return the strings that a field accepts beside a number."""
    return {word for kind in get_args(annotation) for word in get_args(kind)}


def _check_names(names: Iterable[str], *, prefix: str, where: str) -> None:
    """Reject a name that matches no table, which would silently have no effect."""
    for name in names:
        table = name[len(prefix) :].lower().split("__")[0]
        if table in Server.model_fields or table in UNSUPPORTED or table == "server":
            raise SettingsError(_hypercorn_alone(f"{where}{name}", table))
        if table not in Settings.tables():
            known = [f"{prefix}{known.upper() if prefix else known}" for known in Settings.tables()]
            known += NOT_TABLES if prefix else ()
            hint = suggestion(name, known)
            raise SettingsError(f"{where}{name} matches no table of settings.toml; {hint}")


def _values(texts: Mapping[str, str], *, prefix: str, where: str) -> dict[str, Any]:
    source = EnvSettingsSource(Settings, env_prefix=prefix)
    source.env_vars = {name.lower(): text for name, text in texts.items()}
    try:
        return source()
    except ValueNotJsonError as error:
        # The message has the field; its cause would show the value.
        field = str(error).partition(" from source")[0]
        raise SettingsError(f"{where}: {field}: lists and tables must be JSON") from None


def _hypercorn_alone(where: str, key: str) -> str:
    return f"{where} has no effect: Hypercorn reads settings.toml itself; set {key} there"


def suggest_table(key: str) -> str | None:
    """Return a hint at the tables that have a key; None for Hypercorn's keys and unknown ones."""
    homes = [
        _bracketed(name)
        for name in Settings.tables()
        if key in class_of(Settings.model_fields[name].annotation).model_fields
    ]
    if key in Server.model_fields or key in UNSUPPORTED or not homes:
        return None
    return f"did you mean {key} of {' or '.join(homes)}?"


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name most similar to `name`, or at all known names."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"valid names: {', '.join(known)}"
