"""The files of client authorities: their certificates, and the lists of what they took back."""

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
    """The serial numbers an authority has taken back, and when the next list is due."""

    serials: frozenset[int]
    issued: datetime
    next_update: datetime

    def needs_renewal(self, now: datetime) -> bool:
        """Whether it should have been renewed: in its last day, or last quarter if that is less."""
        return self.next_update - now < min(DAY, (self.next_update - self.issued) / 4)


def read_authorities(file: Path, pem: bytes) -> list[x509.Certificate]:
    """Read the certificates of a file of authorities.

    Raises: ClientCAError.
    """
    try:
        authorities = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise ClientCAError(f"[tls] client_ca: {file}: {error}") from error
    for authority in authorities:
        name = authority.subject.rfc4514_string()
        if not _is_authority(authority):
            raise ClientCAError(f"[tls] client_ca: {file}: {name} is no authority's certificate")
    if not any(authority.subject == authority.issuer for authority in authorities):
        raise ClientCAError(
            f"[tls] client_ca: {file} holds no root: OpenSSL verifies up to a certificate that "
            "signs itself; add it"
        )
    return authorities


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return False


def issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether an authority has signed a certificate itself."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return True


def read_lists(
    file: Path, pem: bytes, authorities: Iterable[x509.Certificate]
) -> dict[x509.Name, RevocationList]:
    """Read a list for each authority, verified by its key.

    Raises: ClientCAError.
    """
    where = f"[tls] client_crl: {file}"
    try:
        found = [x509.load_pem_x509_crl(part) for part in _split(pem)]
    except ValueError as error:
        raise ClientCAError(f"{where}: {error}") from error
    lists = {}
    for authority in authorities:
        name = authority.subject.rfc4514_string()
        mine = [crl for crl in found if crl.is_signature_valid(authority.public_key())]  # type: ignore[arg-type]
        if not mine:
            raise ClientCAError(
                f"{where} holds no list that {name} of client_ca has signed; add it to the file"
            )
        newest = max(mine, key=lambda crl: crl.last_update_utc)
        due = newest.next_update_utc or datetime.max.replace(tzinfo=UTC)
        lists[authority.subject] = RevocationList(
            frozenset(revoked.serial_number for revoked in newest), newest.last_update_utc, due
        )
    return lists


def out_of_date(file: Path | None, issuer: x509.Name, due: datetime) -> str:
    """Say that a list was to be renewed."""
    return (
        f"[tls] client_crl: {file}: the list of {issuer.rfc4514_string()} was to be renewed by "
        f"{due:%Y-%m-%d %H:%M} UTC; until it is, none of its certificates is taken"
    )


_END = b"-----END X509 CRL-----"


def _split(pem: bytes) -> list[bytes]:
    """Return the lists of a file, each by itself; what is none fails to load as one."""
    parts = [part + _END for part in pem.split(_END)[:-1]]
    return parts or [pem]
