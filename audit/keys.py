"""The keys of an audit trail, derived from the one secret in the settings."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

SHORTEST_KEY = 32
"""Characters; 64 hexadecimal digits are 32 random bytes."""

HASHES = hashlib.sha256


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """Two keys, so that who looks up documents by hash needs no key that can make records."""

    chain: bytes
    documents: bytes

    def mac(self, data: bytes) -> str:
        """Return the authentication code of a line: 64 hexadecimal digits."""
        return hmac.digest(self.chain, data, HASHES).hex()

    def hash_of(self, document: bytes) -> str:
        """Return the keyed hash of a document; a long one is hashed without the GIL."""
        code = hmac.new(self.documents, digestmod=HASHES)
        code.update(document)
        return code.hexdigest()


def keys_of(secret: str) -> AuditKeys:
    """Return the keys that are derived from the secret of the settings."""
    return AuditKeys(*(_derived(secret, use) for use in ("chain", "documents")))


def new_secret() -> str:
    """Return a new secret."""
    return secrets.token_hex(32)


def _derived(secret: str, use: str) -> bytes:
    return hmac.digest(secret.encode(), f"sealed-ocr audit {use}".encode(), HASHES)
