"""Whether values have the types that the settings want, before pydantic converts any.

pydantic takes true for 1, 1 for true and 1700000000 for a date: each would be a mistake that takes
effect without a word.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from settings.toml_lines import Loc

LONGEST_SHOWN = 60  # characters of a wrong value in a message
AUTO = int | Literal["auto"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A value of the wrong type: where it is, and what to write instead."""

    loc: Loc
    text: str


def bare(annotation: Any) -> Any:
    """Return a field's type without Annotated and None; a Literal of strings is `str`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return bare(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        members = [bare(each) for each in get_args(annotation) if each is not NoneType]
        return AUTO if len(members) > 1 else members[0]
    return str if origin is Literal else annotation


def mismatches(model: type[BaseModel], values: Mapping[str, Any], loc: Loc) -> Iterator[Mismatch]:
    """Yield what has the wrong type in a table; unknown keys are left to pydantic."""
    for key, value in values.items():
        field = model.model_fields.get(key)
        if field is not None:
            yield from _in_field(field, value, (*loc, key))


def _in_field(field: FieldInfo, value: object, loc: Loc) -> Iterator[Mismatch]:
    kind = bare(field.annotation)
    one_is_enough = any(hasattr(each, "func") for each in field.metadata)  # bind = "host:port"
    if get_origin(kind) is tuple and not (isinstance(value, str) and one_is_enough):
        if not isinstance(value, list):
            yield Mismatch(loc, _not_a_list(value, get_args(kind)[0]))
            return
        for index, item in enumerate(value):
            yield from _in_value(bare(get_args(kind)[0]), item, (*loc, index), None)
    elif get_origin(kind) is dict:
        if not isinstance(value, dict):
            yield Mismatch(loc, 'is not a table; write { "*" = "60/minute" }')
            return
        for name, item in value.items():
            yield from _in_value(bare(get_args(kind)[1]), item, (*loc, name), None)
    elif get_origin(kind) is not tuple:
        yield from _in_value(kind, value, loc, field.default)


def _not_a_list(value: object, item: Any) -> str:
    written = shown(value) if isinstance(value, str) and bare(item) is str else '"..."'
    return f"is not a list; write [{written}]"


def _in_value(kind: Any, value: object, loc: Loc, default: object) -> Iterator[Mismatch]:
    if not _fits(kind, value):
        yield Mismatch(loc, _said(kind, value, default))


def _fits(kind: Any, value: object) -> bool:
    number = isinstance(value, int) and not isinstance(value, bool)
    if kind is bool:
        return isinstance(value, bool)
    if kind is int:
        return number
    if kind is float:
        return number or isinstance(value, float)
    if kind == AUTO:
        return number or value == "auto"
    if kind is datetime:
        return isinstance(value, date | str)
    return isinstance(value, str)


def _said(kind: Any, value: object, default: object) -> str:
    what = "the value" if kind is SecretStr else shown(value)
    if kind is bool:
        better = {0: "false", 1: "true", "true": "true", "false": "false"}
        mend = (
            better.get(value, "true or false") if isinstance(value, int | str) else "true or false"
        )
        return f"{what} is neither true nor false; write {mend}, without quotes"
    if kind is datetime:
        return f"{what} is not a date; write it as 2027-01-31 or 2027-01-31T12:00:00Z"
    if kind in {int, float} or kind == AUTO:
        name = {int: "a whole number", float: "a number"}.get(kind, 'a whole number or "auto"')
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            return f"{what} is a string, not {name}; write {value}, without quotes"
        such_as = default if isinstance(default, int | float) else 1
        return f"{what} is not {name}; write one such as {shown(such_as)}"
    example = f", such as {shown(default)}" if isinstance(default, str) and default else ""
    return f"{what} is not a string; write a string in quotes{example}"


def shown(value: object) -> str:
    """Return a value as it is written in TOML, for a message; a list or table by its type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        short = value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}..."
        return json.dumps(short, ensure_ascii=False)
    if isinstance(value, int | float | date):
        return str(value)
    return {list: "a list", dict: "a table", NoneType: "null"}.get(type(value), "the value")
