"""What is said of a key that somebody has: whose it is, and whether it is valid now."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime

from middleware.key_format import key_id_of
from scripts.key_state import (
    certificate_of,
    functions_of,
    is_rotating,
    is_valid,
    overlap_end,
    shown,
    state_of,
)
from service.dev_key import KEY_ID
from settings import ApiKey, Origins, Settings


def verdict(key: str, settings: Settings, origins: Origins) -> tuple[bool, list[str]]:
    """Return whether a key is valid now, and the lines that say so."""
    claimed = key_id_of(key)
    if claimed is None:
        said = "this is no key of this service: a character is missing, added or mistyped"
        return False, [f"invalid: {said if key else 'nothing was entered'}"]
    entry = next((each for each in settings.keys if each.id == claimed), None)
    if entry is None:
        return _without_entry(claimed, settings)
    now = datetime.now(UTC)
    digest = hashlib.sha256(key.encode()).hexdigest()
    valid, said = _of(entry, digest, now)
    lines = [
        "valid" if said == "valid" else f"{'valid' if valid else 'invalid'}: {said}",
        f"entry: {entry.id} ({entry.name}), in {', '.join(origins.holders('keys', entry.id))}",
    ]
    return valid, [*lines, *(_valid_for(entry, settings) if valid else ())]


def _without_entry(claimed: str, settings: Settings) -> tuple[bool, list[str]]:
    if claimed != KEY_ID:
        return False, [f"invalid: no [[keys]] entry has the id {claimed}; it may have been revoked"]
    if settings.keys:
        return False, ["invalid: the development key is disabled, because there are [[keys]]"]
    return True, ["valid: a development key, as long as .dev/key has it, from this machine only"]


def _of(entry: ApiKey, digest: str, now: datetime) -> tuple[bool, str]:
    """Return whether the key of an entry with this SHA-256 is valid, and in what way."""
    if hmac.compare_digest(digest, entry.sha256 or ""):
        return is_valid(entry, now), state_of(entry, now).removeprefix("valid, ")
    if not hmac.compare_digest(digest, entry.previous_sha256 or ""):
        return False, "its id is right, its secret is not: it may be a key from before a rotation"
    end = overlap_end(entry)
    until = shown(end) if end else ""
    if not is_rotating(entry, now):
        return False, f"the key before the last rotation, which was valid until {until}"
    said = f"the key before the last rotation, valid until {until}"
    return is_valid(entry, now), said if is_valid(entry, now) else state_of(entry, now)


def _valid_for(entry: ApiKey, settings: Settings) -> Iterator[str]:
    paths = ", ".join(function.path for function in functions_of(entry, settings))
    yield f"expires: {shown(entry.expires) if entry.expires else 'never'}"
    yield f"functions: {paths or 'none is enabled'}"
    yield f"networks: {', '.join(entry.networks) or 'all'}"
    if entry.needs_certificate:
        yield f"only with the client certificate: {certificate_of(entry)}"
