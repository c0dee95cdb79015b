"""Where the API key comes from: the environment, a file, or the keyring. Never the command line."""

import os
import stat
from pathlib import Path

from sealed_ocr_client.errors import UnusableOption
from sealed_ocr_client.trust import checkout, is_loopback

VARIABLE = "SEALED_OCR_KEY"
FILE_VARIABLE = "SEALED_OCR_KEY_FILE"
KEYRING_SERVICE = "sealed-ocr"


def find_key(url: str, key_file: str | os.PathLike[str] | None = None) -> str | None:
    """Return the key: of `key_file`, the environment, the keyring, or the development key.

    Raises:
        UnusableOption: the file cannot be read, or other users can read it.

    """
    if key_file is not None:
        return read_key(Path(key_file))
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE].strip()
    if os.environ.get(FILE_VARIABLE):
        return read_key(Path(os.environ[FILE_VARIABLE]))
    return _of_keyring(url) or _development_key(url)


def read_key(file: Path) -> str:
    """Return the key in a file that only its owner can read.

    Raises:
        UnusableOption: it cannot be read, or other users can read it.

    """
    try:
        mode = file.stat().st_mode
        text = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII text"
        raise UnusableOption(f"The key's file {file} cannot be read ({reason}).") from None
    if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnusableOption(f"Other users can read the key in {file}: chmod 600 {file}")
    if not text or any(character.isspace() for character in text):
        raise UnusableOption(f"{file} does not hold a key alone.")
    return text


def _of_keyring(url: str) -> str | None:
    """Return the password that `keyring set sealed-ocr URL` has stored, if keyring is installed."""
    try:
        import keyring  # noqa: PLC0415 - optional
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        return keyring.get_password(KEYRING_SERVICE, url.rstrip("/"))
    except KeyringError:
        return None


def _development_key(url: str) -> str | None:
    root = checkout()
    file = root / ".dev" / "key" if root else None
    return read_key(file) if file and is_loopback(url) and file.exists() else None
