"""Texts of variables and secrets as values of settings; pydantic-settings reads names and JSON."""

import re
from typing import Any

from pydantic_settings import EnvSettingsSource
from pydantic_settings import SettingsError as ValueNotJsonError

from settings.kinds import AUTO, bare
from settings.schema import Settings
from settings.suggestions import IDENTITY, table_class

DELIMITER = "__"
WHOLE_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)
NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|nan)", re.ASCII | re.IGNORECASE)
"""Not all that float() takes, such as 1_0."""


def value_of(name: str, text: str, *, prefix: str) -> dict[str, Any]:
    """Return a variable as settings: its table's name, and in that a key and its value, or JSON.

    A text that is not of its key's type stays a text, which the check of types then names.
    """
    source = EnvSettingsSource(Settings, env_prefix=prefix, env_nested_delimiter=DELIMITER)
    source.env_vars = {name.lower(): text}
    table, _, key = name[len(prefix) :].lower().partition(DELIMITER)
    try:
        found = source()
    except ValueNotJsonError:
        return {table: {key: text} if key else text}
    if table not in found:  # JSON's null, which pydantic-settings leaves out
        return {table: None}
    if key and isinstance(found[table].get(key), str):
        found[table][key] = _typed(table, key, text)
    return found


def _typed(table: str, key: str, text: str) -> object:
    """Return a text as its key's number or boolean."""
    field = table_class(table).model_fields.get(key) if table not in IDENTITY else None
    kind = bare(field.annotation) if field else str
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in {int, float} or kind == AUTO:
        if WHOLE_NUMBER.fullmatch(text):
            return int(text)
        return float(text) if kind is float and NUMBER.fullmatch(text) else text
    return text
