"""Loading the settings. An error names the file, the key and how to fix it."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from settings import sources
from settings.schema import Settings
from settings.server import UNSUPPORTED
from settings.sources import IDENTITY, SettingsError, Source

__all__ = ["SettingsError", "check_mixture", "load_settings", "settings_files", "settings_path"]

LOCAL_NAME = "settings.local.toml"


def settings_path(variables: Mapping[str, str] = os.environ) -> Path:
    """Return the settings file: the one that OCR_SETTINGS names, or settings.toml beside app.py."""
    named = variables.get("OCR_SETTINGS")
    return Path(named) if named else Path(__file__).parent.parent / "settings.toml"


def settings_files(path: Path, variables: Mapping[str, str] = os.environ) -> list[str]:
    """Return the files that are read, including those that may be created later."""
    directory = variables.get("OCR_SECRETS_DIR")
    secrets: list[str] = []
    with contextlib.suppress(OSError):  # a missing directory is a change, which loading reports
        secrets = sorted(map(str, Path(directory).iterdir())) if directory else []
    return [str(path), str(path.with_name(LOCAL_NAME)), *secrets]


def load_settings(path: Path, variables: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of `path` and its overrides.

    Raises:
        SettingsError: the settings are invalid; the message has one error per line.

    """
    directory = variables.get("OCR_SECRETS_DIR")
    found = [
        sources.main_file(path),
        sources.local_file(path.with_name(LOCAL_NAME)),
        sources.secrets(Path(directory) if directory else None),
        sources.environment(variables),
    ]
    merged = sources.merge(found)
    try:
        return Settings(**merged)
    except ValidationError as error:
        problems = [_problem(details, merged, found) for details in error.errors()]
        raise SettingsError("\n".join(problems)) from None


def check_mixture(settings: Settings) -> Settings:
    """Return settings of which some tables were reloaded, if they are valid together.

    Raises:
        SettingsError: a start with them would be refused.

    """
    try:
        return Settings(**{name: getattr(settings, name) for name in Settings.model_fields})
    except ValidationError as error:
        problems = "; ".join(
            details["msg"].removeprefix("Value error, ") for details in error.errors()
        )
        raise SettingsError(
            "the new [[keys]], [limits] and [hsts] conflict with settings that change only with a "
            f"restart: {problems}"
        ) from None


def _problem(details: ErrorDetails, merged: Mapping[str, Any], found: Sequence[Source]) -> str:
    loc = details["loc"]
    message = details["msg"].removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        message = _unknown(loc)
    elif details["type"] == "missing":
        message = "is missing"
    where = _place(loc, merged)
    return f"{_origin(loc, merged, found)}: {where + ': ' if where else ''}{message}"


def _unknown(loc: tuple[int | str, ...]) -> str:
    key = str(loc[-1])
    if loc[0] == "server" and key in UNSUPPORTED:
        return f"not supported: {UNSUPPORTED[key]}"
    if loc[0] == "server" and (hint := sources.suggest_table(key)):
        return f"unknown key; {hint}"
    model: Any = Settings
    for part in loc[:-1]:
        if isinstance(part, str):
            model = sources.class_of(model.model_fields[part].annotation)
    known = model.model_fields if issubclass(model, BaseModel) else ()
    return f"unknown key; {sources.suggestion(key, known)}"


def _entry(loc: tuple[int | str, ...], merged: Mapping[str, Any]) -> str | None:
    """Return the id or path of the `[[keys]]` or `[[functions]]` entry that `loc` points into."""
    if len(loc) > 1 and loc[0] in IDENTITY and isinstance(loc[1], int):
        entry = merged[str(loc[0])][loc[1]]
        number = f"entry {loc[1] + 1}"
        return str(entry.get(IDENTITY[str(loc[0])], number)) if isinstance(entry, dict) else number
    return None


def _place(loc: tuple[int | str, ...], merged: Mapping[str, Any]) -> str:
    if not loc:
        return ""
    entry = _entry(loc, merged)
    if entry is not None:
        return " ".join([f"[[{loc[0]}]]", entry, *map(str, loc[2:])])
    if loc[0] == "server":
        return ".".join(map(str, loc[1:2]))
    return " ".join([f"[{loc[0]}]", *map(str, loc[1:])]).strip()


def _origin(loc: tuple[int | str, ...], merged: Mapping[str, Any], found: Sequence[Source]) -> str:
    """Return the name of the source with the highest priority that sets the key at `loc`."""
    if not loc:  # several keys together, each of which any source may set
        return " with ".join(source.name for source in found if source.values)
    entry = _entry(loc, merged)
    for source in reversed(found):
        if entry is not None:
            entries = source.values.get(str(loc[0]), [])
            names = [e.get(IDENTITY[str(loc[0])]) for e in entries if isinstance(e, dict)]
            if entry in map(str, names):
                return source.name
        elif _holds(source.values, loc[:2]):
            return source.name
    return found[0].name


def _holds(values: Mapping[str, Any], loc: tuple[int | str, ...]) -> bool:
    node: Any = values
    for part in loc:
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return True
