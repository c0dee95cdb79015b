"""How the sources are merged.

Tables merge key by key, as do `[[keys]]` of one id and `[[functions]]` of one path.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from settings.suggestions import IDENTITY


def merge(values: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values of several sources as one; later ones take precedence."""
    merged: dict[str, Any] = {}
    for each in values:
        merged = _merge_tables(merged, each)
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
