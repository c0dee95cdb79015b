"""All keys, as a table for people or as JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from scripts.key_state import certificate_of, is_rotating, is_valid, quotas_of, shown, state_of
from scripts.usage_table import pad, width
from settings import ApiKey, Origins

NOTHING = "-"


def as_table(keys: Sequence[ApiKey], origins: Origins) -> str:
    """Return a line for each key; a column that is empty for all of them is left out."""
    now = datetime.now(UTC)
    rows = [_row(key, origins, now) for key in keys]
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    table = [names, *([row[name] or NOTHING for name in names] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            pad(cell, size, left=True) for cell, size in zip(row, widths, strict=True)
        ).rstrip()
        for row in table
    )


def as_json(keys: Sequence[ApiKey], origins: Origins) -> str:
    """Return an object for each key: its entry without the digests, its state, and its files."""
    now = datetime.now(UTC)
    found = [
        key.model_dump(mode="json", exclude={"sha256", "previous_sha256"})
        | {
            "needs_key": bool(key.sha256),
            "valid": is_valid(key, now),
            "state": state_of(key, now),
            "rotating": is_rotating(key, now),
            "files": origins.holders("keys", key.id),
        }
        for key in keys
    ]
    return json.dumps(found, indent=1, ensure_ascii=False)


def _row(key: ApiKey, origins: Origins, now: datetime) -> Mapping[str, str]:
    return {
        "id": key.id,
        "name": key.name,
        "state": state_of(key, now),
        "expires": shown(key.expires) if key.expires else "",
        "scopes": " ".join(key.scopes),
        "functions": " ".join(key.functions),
        "limits": " ".join(f"{path}={rate}" for path, rate in key.limits.items()),
        "quotas": ", ".join(quotas_of(key)),
        "networks": " ".join(key.networks),
        "certificate": certificate_of(key),
        "in": ", ".join(origins.holders("keys", key.id)),
    }
