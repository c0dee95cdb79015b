"""The development key: the service can be tried without any configuration."""

import fcntl
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from limits import parse as parse_limit

from middleware.authentication import Caller
from middleware.key_format import key_id_of, new_key
from service.log import log_event

KEY_ID = "development"
LIMIT = "6000/minute"  # more than a trial needs


def ensure_key(path: Path) -> str:
    """Return the development key in the file `path`; made on first use, with mode 0600."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        # Several workers may start at once: one makes the key, the others read it.
        fcntl.flock(directory, fcntl.LOCK_EX)
        return _read(path) or _make(path)
    finally:
        os.close(directory)


def _read(path: Path) -> str | None:
    """Return the key in the file `path`; None if it is missing or holds anything else."""
    try:
        token = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    return token if key_id_of(token) == KEY_ID else None


def _make(path: Path) -> str:
    path.unlink(missing_ok=True)
    token = new_key(KEY_ID)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return token


def log_disabled(path: Path) -> None:
    """Log that `[[keys]]` have disabled the development key in the file `path`, if there is one."""
    if path.exists():
        log_event(
            event="development_key_disabled", file=str(path), reason="the settings have [[keys]]"
        )


def log_enabled(path: Path) -> None:
    """Log that the development key in the file `path` is valid again: `[[keys]]` are gone."""
    log_event(
        event="development_key_enabled", file=str(path), reason="the settings have no [[keys]]"
    )


def development_caller(path: Path, scopes: Iterable[str], paths: Iterable[str]) -> Caller:
    """Return the key's entry: every scope, high limits, valid from this machine only."""
    digest = hashlib.sha256(ensure_key(path).encode()).digest()
    limits = dict.fromkeys(["*", *paths], parse_limit(LIMIT))
    return Caller(KEY_ID, KEY_ID, digest, frozenset(scopes), limits, loopback_only=True)
