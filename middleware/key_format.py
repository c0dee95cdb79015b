"""The format of API keys: `ocr_<id>_<secret>_<crc32>`.

The id identifies the entry, the secret is 256 random bits in base62. The CRC distinguishes a
mistyped key from a wrong one, and the format lets scanners find leaked keys. A random secret of
this length needs no slow password hash; SHA-256 is enough.
Source: GitHub, "Behind GitHub's new authentication token formats", 2021.
"""

import re
import secrets
import string
import zlib

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_BITS = 256
SECRET_LENGTH = 43  # ceil(256 / log2(62))
CRC_LENGTH = 6  # ceil(32 / log2(62))
FORMAT = re.compile(
    rf"ocr_([a-z0-9]{{4,16}})_[0-9A-Za-z]{{{SECRET_LENGTH}}}_([0-9A-Za-z]{{{CRC_LENGTH}}})"
)


def new_key_id() -> str:
    """Return a new key id: eight random characters."""
    return "".join(secrets.choice(string.digits + string.ascii_lowercase) for _ in range(8))


def new_key(key_id: str) -> str:
    """Return a new key with this id."""
    body = f"ocr_{key_id}_{_base62(secrets.randbits(SECRET_BITS), SECRET_LENGTH)}"
    return f"{body}_{_crc(body)}"


def key_id_of(key: str) -> str | None:
    """Return the id of a key; None if its format or checksum is wrong."""
    match = FORMAT.fullmatch(key)
    if match is None or _crc(key[: -CRC_LENGTH - 1]) != match[2]:
        return None
    return match[1]


def _crc(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), CRC_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
