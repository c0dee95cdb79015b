"""Whether a pair of certificate and key can be served."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from tls.certificates import CertificateError, CertificateFacts, check_readable, inspect


def check_pair(
    certfile: Path | str, keyfile: Path | str, password: str | None = None
) -> CertificateFacts:
    """Return the facts of a certificate that can be served now with its key.

    Raises:
        CertificateError: a file is missing or unreadable, the certificate has expired or is not yet
            valid, or the key does not belong to it.

    """
    facts = inspect(certfile)
    load_valid_pair(facts, certfile, keyfile, password)
    return facts


def load_valid_pair(
    facts: CertificateFacts, certfile: Path | str, keyfile: Path | str, password: str | None
) -> ssl.SSLContext:
    """Return a context with a pair, whose certificate's facts are given.

    Raises:
        CertificateError: as in check_pair.

    """
    check_readable(keyfile, "key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_pair(context, certfile, keyfile, password)
    now = datetime.now(UTC)
    if facts.not_after <= now:
        raise CertificateError(f"{certfile} expired on {facts.not_after:%Y-%m-%d %H:%M} UTC")
    if facts.not_before > now:
        raise CertificateError(f"{certfile} is not valid before {facts.not_before:%Y-%m-%d} UTC")
    return context


def load_pair(
    context: ssl.SSLContext, certfile: Path | str, keyfile: Path | str, password: str | None
) -> None:
    """Load a pair into a context.

    Raises:
        CertificateError: the key does not belong to the certificate, is not a key, or is encrypted
            and the password is missing or wrong.

    """
    try:
        # An empty password instead of None, with which OpenSSL would prompt on the terminal.
        context.load_cert_chain(certfile, keyfile, password or "")
    except ssl.SSLError as error:
        if error.reason in _OTHER_KEY:
            raise CertificateError(
                f"{keyfile} is not the key of the first certificate of {certfile}"
                f"{_OTHER_KEY[error.reason]}"
            ) from error
        if _is_encrypted(keyfile):
            raise CertificateError(_STILL_ENCRYPTED if password else _ENCRYPTED) from error
        raise CertificateError(
            f"{keyfile} cannot be loaded as the key of {certfile}: {_reason(error)}"
        ) from error
    except OSError as error:
        raise CertificateError(f"{certfile} or {keyfile} cannot be read: {error}") from error


# OpenSSL's reasons for a key that does not belong to the certificate.
_OTHER_KEY = {
    "KEY_VALUES_MISMATCH": "",
    "NO_CERTIFICATE_ASSIGNED": ": it is of another type, such as RSA in place of EC",
    "KEY_TYPE_MISMATCH": ": it is of another type, such as RSA in place of EC",
}


def _reason(error: ssl.SSLError) -> str:
    if not error.reason:
        return "no key in PEM form, which begins with -----BEGIN PRIVATE KEY-----"
    if error.reason == "EE_KEY_TOO_SMALL":
        return "the key is too short; use EC P-256, or RSA with 2048 bits or more"
    return f"OpenSSL says {error.reason.lower().replace('_', ' ')}"


_ENCRYPTED = (
    "the key is encrypted: set its passphrase as [tls] key_passphrase, preferably in the file "
    "tls__key_passphrase of the directory that OCR_SECRETS_DIR names"
)
_STILL_ENCRYPTED = "the key is encrypted, and [tls] key_passphrase does not decrypt it"


def _is_encrypted(keyfile: Path | str) -> bool:
    """Return whether a key is encrypted PKCS #8 ("BEGIN ENCRYPTED") or PEM ("Proc-Type: 4,...")."""
    return b"ENCRYPTED" in Path(keyfile).read_bytes()
