"""The client certificate that a [[keys]] entry requires."""

import contextlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID


class CertificateUnusable(Exception):
    """The file has no certificate, or one that is not valid for clients."""


def certificate(file: Path, *, pin: bool) -> dict[str, str]:
    """Return the fields of an entry that require the certificate in a file.

    Raises:
        CertificateUnusable: the file has none, or one that is not valid for clients.

    """
    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        raise CertificateUnusable(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise CertificateUnusable(f"{file} has no certificate in PEM form: {error}") from None
    with contextlib.suppress(x509.ExtensionNotFound):
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
            raise CertificateUnusable(f"{file} has a certificate that is not valid for clients")
    if pin:
        return {"certificate_sha256": found.fingerprint(hashes.SHA256()).hex()}
    return {"certificate_subject": found.subject.rfc4514_string()}
