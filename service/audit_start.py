"""The start of an audit trail: its key and directory are checked, its first record is written."""

import os
import stat
from pathlib import Path

from audit.files import UnreadableFile
from audit.head import NAME, NotAHead, read_head
from audit.keys import SHORTEST_KEY, keys_of
from audit.trail import Trail
from service.certificate import is_writable
from service.log import log_event
from service.start_refused import StartRefused
from settings import Settings

OTHERS = stat.S_IRWXO | stat.S_IWGRP
NEW_KEY = "umask 077; scripts/audit new-key > SECRETS/audit__key, with OCR_SECRETS_DIR=SECRETS"


class AuditRefused(StartRefused):
    """The audit trail cannot be written with these settings."""

    def __init__(self, message: str, key: str = "directory") -> None:
        super().__init__(message)
        self.locs = (("audit", key),)


def check(settings: Settings, directory: Path) -> None:
    """Check the key and the directory; nothing is made or changed.

    Raises:
        AuditRefused: records could not be written, or others could read them.

    """
    wanted = settings.audit
    if not wanted.enabled:
        if wanted.key is not None:
            raise AuditRefused(
                "key has no effect while directory is empty; set directory, or remove key", "key"
            )
        return
    _check_key(wanted.secret)
    place = directory / wanted.directory
    if not place.exists():
        if not (place.parent.is_dir() and is_writable(place.parent)):
            raise AuditRefused(f"{place} does not exist and cannot be made: make it for this user")
        return
    if not place.is_dir() or not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        raise AuditRefused(f"{place} is not a directory that this user can write to")
    mode = stat.S_IMODE(place.stat().st_mode)
    if mode & OTHERS:
        raise AuditRefused(f"{place} is open to others (mode {mode:04o}): chmod 700 {place}")
    for path in sorted(place.iterdir()):
        if NAME.fullmatch(path.name):
            try:
                read_head(path, keys_of(wanted.secret))
            except (NotAHead, OSError) as error:
                raise AuditRefused(_not_ours(error)) from error


def _check_key(secret: str) -> None:
    if not secret:
        raise AuditRefused(f"key is missing: {NEW_KEY}", "key")
    if len(secret) < SHORTEST_KEY:
        said = f"key has {len(secret)} characters; it needs {SHORTEST_KEY}: {NEW_KEY}"
        raise AuditRefused(said, "key")


def _not_ours(error: Exception) -> str:
    return (
        f"{error}; a new key needs a new directory. Otherwise keep this one as evidence, and name "
        "another"
    )


def open_trail(settings: Settings, directory: Path) -> Trail:
    """Return the audit trail, whose first record is written.

    Raises:
        AuditRefused: it cannot be written.

    """
    wanted = settings.audit
    place = directory / wanted.directory
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        return Trail(
            place,
            keys_of(wanted.secret),
            max_file_bytes=wanted.max_file_bytes,
            sync_s=wanted.sync_s,
            report=log_event,
        )
    except NotAHead as error:
        raise AuditRefused(_not_ours(error)) from error
    except (OSError, UnreadableFile) as error:
        raise AuditRefused(f"{place}: {getattr(error, 'strerror', None) or error}") from error
