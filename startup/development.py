"""The key that lets a newcomer try the service without configuring anything."""

import os
from pathlib import Path

from middleware.token import id_of, new_token

KEY_ID = "development"


def ensure_key(path: Path) -> str:
    """Return the development key kept at `path`, made on first use, readable by its owner only."""
    try:
        token = path.read_text(encoding="ascii").strip()
        if id_of(token) == KEY_ID:
            return token
        path.unlink()
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = new_token(KEY_ID)
    # O_EXCL: when several workers start at once, one makes the key and the others read it.
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return ensure_key(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return token
