"""The files of the client CAs: their certificates and revocation lists (CRLs)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from tls.certificates import ClientCAError

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """The serial numbers that a CA has revoked, and the time of the next update."""

    serials: frozenset[int]
    issued: datetime
    next_update: datetime

    def needs_renewal(self, now: datetime) -> bool:
        """Return whether it should have been renewed: in its last day, or quarter if shorter."""
        return self.next_update - now < min(DAY, (self.next_update - self.issued) / 4)


def read_authorities(file: Path, pem: bytes) -> list[x509.Certificate]:
    """Return the CA certificates of a file.

    Raises:
        ClientCAError: the file is not PEM, has a certificate that is no CA's, or no root.

    """
    try:
        authorities = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise ClientCAError(
            f"[tls] client_ca: {file} has no certificate in PEM form, or a damaged one"
        ) from error
    for authority in authorities:
        name = authority.subject.rfc4514_string()
        if not _is_authority(authority):
            raise ClientCAError(f"[tls] client_ca: {file}: {name} is not a CA certificate")
    if not any(authority.subject == authority.issuer for authority in authorities):
        raise ClientCAError(
            f"[tls] client_ca: {file} has no root certificate; add the self-signed one to which "
            "OpenSSL verifies"
        )
    return authorities


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return False


def has_issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Return whether a CA has signed a certificate directly."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return True


def read_revocation_lists(
    file: Path, pem: bytes, authorities: Iterable[x509.Certificate]
) -> dict[x509.Name, RevocationList]:
    """Return the newest list of each CA, verified with its key.

    Raises:
        ClientCAError: the file is not PEM, or has no list of one of the CAs.

    """
    where = f"[tls] client_crl: {file}"
    try:
        found = [x509.load_pem_x509_crl(part) for part in _split(pem)]
    except ValueError as error:
        raise ClientCAError(f"{where} has no list in PEM form, or a damaged one") from error
    lists = {}
    for authority in authorities:
        name = authority.subject.rfc4514_string()
        signed = [crl for crl in found if crl.is_signature_valid(authority.public_key())]  # type: ignore[arg-type]
        if not signed:
            raise ClientCAError(f"{where} has no list signed by {name} of client_ca; add it")
        newest = max(signed, key=lambda crl: crl.last_update_utc)
        next_update = newest.next_update_utc or datetime.max.replace(tzinfo=UTC)
        lists[authority.subject] = RevocationList(
            frozenset(revoked.serial_number for revoked in newest),
            newest.last_update_utc,
            next_update,
        )
    return lists


def expired_list(file: Path | None, issuer: x509.Name, next_update: datetime) -> str:
    """Return the message that a list is past its next update."""
    return (
        f"[tls] client_crl: {file}: the list of {issuer.rfc4514_string()} expired on "
        f"{next_update:%Y-%m-%d %H:%M} UTC; until it is renewed, certificates of this CA are "
        "rejected"
    )


_END = b"-----END X509 CRL-----"


def _split(pem: bytes) -> list[bytes]:
    """Return the PEM of each list in a file; the whole file, which fails to load, without one."""
    parts = [part + _END for part in pem.split(_END)[:-1]]
    return parts or [pem]
