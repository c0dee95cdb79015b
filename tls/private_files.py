"""Files of certificates and keys, each readable by its owner only from the start if it is a key."""

import os
import secrets
from pathlib import Path


def write_private(file: Path, content: bytes, mode: int) -> None:
    """Replace a file atomically; its content is never readable with another mode."""
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(fresh, flags, mode), "wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
