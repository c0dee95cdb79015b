"""What a change of keys means, and may be expected otherwise."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from limits import parse as parse_limit

from scripts.key_state import SOON, is_rotating, is_valid, shown, state_of
from settings import ApiKey, Settings

ALL = "*"


def of_new(settings: Settings, entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a new entry changes or leaves as it is."""
    if len(settings.keys) == 1 and not settings.reachable_by:
        yield "this is the first [[keys]] entry; it disables the development key (.dev/key)."
    same = [key.id for key in settings.keys if key.name == entry["name"] != key.id]
    if len(same) > 1:
        others = ", ".join(each for each in same if each != entry["id"])
        yield (
            f"{others} has the name {entry['name']!r}, too. To give a caller a new key in place of "
            f"an old one, use scripts/keys rotate, which keeps its id and its counts."
        )
    given = entry.get("limits", {})
    together = given.get(ALL, settings.limits.per_key)
    for path, rate in given.items():
        if _per_second(rate) > _per_second(together):
            yield f"{path} has {rate}, but all functions together {together}: --limit '{ALL}=...'."
    if not given:
        functions = [each for each in settings.enabled_functions if each.scope in entry["scopes"]]
        limits = [f"{each.path} {', '.join(each.limits)}" for each in functions if each.limits]
        yield f"its limits are those of the settings: {'; '.join([f'{together} in all', *limits])}."


def of_rotated(
    key: ApiKey, now: datetime, until: datetime | None, expires: date | None
) -> Iterator[str]:
    """Yield what a rotation changes; the old key stays valid `until` then, None: not at all."""
    if until and now < until:
        yield f"{key.id} ({key.name}): the old key stays valid until {shown(until)}."
        yield 'The log lines of requests with it have "previous_key": true.'
    else:
        yield f"{key.id} ({key.name}): the old key is refused from now on."
    if key.previous_expires and is_rotating(key, now):
        yield (
            f"Note: the key before it, which was valid until {shown(key.previous_expires)}, is "
            "refused from now on: an entry has one previous key."
        )
    alone = key.model_copy(update={"previous_expires": None})
    if expires is None and key.expires and (not is_valid(key, now) or key.expires - now <= SOON):
        yield (
            f"Note: the entry, and with it the new key: {state_of(alone, now)}. --expires WHEN "
            "changes that."
        )


def of_removed(key: ApiKey, settings: Settings, *, previous: bool) -> str:
    """Return what a removal changes."""
    if previous:
        return f"{key.id} ({key.name}): the previous key is refused from now on."
    said = f"{key.id} ({key.name}) is removed: its requests are refused from now on."
    if settings.keys:
        return said
    return f"{said}\nNote: it was the last one; the development key (.dev/key) is valid again."


def _per_second(rate: str) -> float:
    """Return how many requests a second a rate limit allows in the long run."""
    item = parse_limit(rate)
    return item.amount / item.get_expiry()
