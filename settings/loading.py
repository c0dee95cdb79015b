"""Loading the settings: all mistakes at once, each with its place and how to fix it."""

import contextlib
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from settings import sources
from settings.combinations import conflicts
from settings.errors import Conflict, SettingsError
from settings.kinds import Mismatch, mismatches
from settings.merging import merge
from settings.origins import Origins
from settings.schema import Settings
from settings.suggestions import IDENTITY, similar_path, table_class, unknown_key
from settings.toml_lines import Loc
from settings.wording import in_our_words

LOCAL_NAME = "settings.local.toml"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in the sources of settings."""

    settings: Settings
    """The valid tables alone; all of them where there are no `mistakes`."""
    valid: frozenset[str]
    """The names of the tables without a mistake."""
    right_values: Mapping[str, Any]
    """What was merged, without the keys and entries that have a mistake."""
    mistakes: tuple[str, ...]
    origins: Origins


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


def load_settings(
    path: Path,
    variables: Mapping[str, str] = os.environ,
    texts: Mapping[Path, str] = MappingProxyType({}),
) -> Settings:
    """Return the settings of `path` and its overrides; `texts` are read in place of files.

    Raises:
        SettingsError: the settings are invalid; the message has one error per line.

    """
    found = examine(path, variables, texts)
    if found.mistakes:
        raise SettingsError("\n".join(found.mistakes))
    return found.settings


def examine(
    path: Path,
    variables: Mapping[str, str] = os.environ,
    texts: Mapping[Path, str] = MappingProxyType({}),
) -> Examination:
    """Return the settings of `path` and its overrides, with all of their mistakes.

    `texts` are those of files as they are going to be.
    """
    local = path.with_name(LOCAL_NAME)
    directory = variables.get("OCR_SECRETS_DIR")
    found = [
        sources.main_file(path, texts.get(path)),
        sources.local_file(local, texts.get(local)),
        sources.secrets(Path(directory) if directory else None),
        sources.environment(variables),
    ]
    merged = merge(source.values for source in found)
    origins = Origins(found, merged)
    mistakes = [said for source in found for said in source.mistakes]
    if not found[0].complete:  # without settings.toml everything would be missing
        return Examination(Settings.model_construct(), frozenset(), {}, tuple(mistakes), origins)
    wrong_types = [*_mismatches(merged)]
    mistakes += [_line(origins, mismatch.text, mismatch.loc) for mismatch in wrong_types]
    wrong: list[Loc] = [mismatch.loc for mismatch in wrong_types]
    try:
        settings: Settings | None = Settings(**merged)
    except ValidationError as error:
        settings = None
        errors = [*_own_errors(error, wrong)]
        mistakes += [_problem(each, origins, merged) for each in errors if each["loc"]]
        wrong += [each["loc"] for each in errors if each["loc"]]
    invalid: set[object] = {loc[0] for loc in wrong}
    if not all(source.complete for source in found):
        invalid |= {*Settings.tables()}  # what is missing may be in the file that cannot be read
    valid = frozenset(Settings.model_fields.keys() - invalid)
    if settings is None:
        settings = _valid_part(merged, valid)
        mistakes += [_conflict(origins, each) for each in conflicts(settings, valid)]
    return Examination(settings, valid, _right_values(merged, wrong), tuple(mistakes), origins)


def check_mixture(settings: Settings) -> Settings:
    """Return settings of which some tables were reloaded, if they are valid together.

    Raises:
        SettingsError: a start with them would be refused.

    """
    try:
        return Settings(**{name: getattr(settings, name) for name in Settings.model_fields})
    except ValidationError as error:
        problems = "; ".join(in_our_words(details) for details in error.errors())
        raise SettingsError(
            "the new [[keys]], [limits] and [hsts] conflict with settings that change only with a "
            f"restart: {problems}"
        ) from None


def _mismatches(merged: Mapping[str, Any]) -> Iterator[Mismatch]:
    for name, value in merged.items():
        if name not in IDENTITY and isinstance(value, dict):
            yield from mismatches(table_class(name), value, (name,))
        elif name not in IDENTITY:
            said = f"is not a table; write [{name}], or in a variable JSON: "
            yield Mismatch((name,), f'{said}{{"key": "value"}}')
        elif isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
            for index, entry in enumerate(value):
                yield from mismatches(table_class(name), entry, (name, index))
        else:
            said = f"is not a list of tables; write [[{name}]], or in a variable JSON: "
            yield Mismatch((name,), f'{said}[{{"{IDENTITY[name]}": "..."}}]')


def _valid_part(merged: Mapping[str, Any], valid: Container[str]) -> Settings:
    """Return settings with the valid tables, and with those that are left out."""
    values = {
        name: TypeAdapter[Any](field.rebuild_annotation()).validate_python(merged[name])
        for name, field in Settings.model_fields.items()
        if name in merged and name in valid
    }
    return Settings.model_construct(**values)


def _right_values(merged: Mapping[str, Any], wrong: Sequence[Loc]) -> dict[str, Any]:
    right: dict[str, Any] = {}
    for name, value in merged.items():
        bad = {loc[1] for loc in wrong if loc[0] == name and len(loc) > 1}
        if (name,) in wrong:
            continue
        if isinstance(value, dict):
            right[name] = {key: item for key, item in value.items() if key not in bad}
        else:
            right[name] = [item for index, item in enumerate(value) if index not in bad]
    return right


def _own_errors(error: ValidationError, wrong: Sequence[Loc]) -> Iterator[ErrorDetails]:
    """Yield the errors that do not follow from others inside the same value, or from a type."""
    others = [*wrong, *(each["loc"] for each in error.errors())]
    for each in error.errors():
        loc = each["loc"]
        inside = any(len(one) > len(loc) > 0 and one[: len(loc)] == loc for one in others)
        if not inside and not any(loc[: len(one)] == one for one in wrong):
            yield each


def _problem(details: ErrorDetails, origins: Origins, merged: Mapping[str, Any]) -> str:
    loc = details["loc"]
    error = details.get("ctx", {}).get("error")
    if isinstance(error, Conflict):
        places = [(*loc, *key) for key in error.locs]
        label = origins.label(loc)
        return f"{origins.where(*places)}: {label + ': ' if label else ''}{error}"
    if details["type"] == "extra_forbidden":
        return _line(origins, unknown_key(str(loc[0]), str(loc[-1])), loc)
    hint = similar_path(loc, merged) if details["type"] == "missing" else ""
    return _line(origins, in_our_words(details) + hint, loc)


def _conflict(origins: Origins, conflict: Conflict) -> str:
    return f"{origins.where(*conflict.locs)}: {conflict}"


def _line(origins: Origins, text: str, loc: tuple[int | str, ...]) -> str:
    return f"{origins.where(loc)}: {origins.label(loc)}: {text}"
