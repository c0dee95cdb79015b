"""Client certificates: whose are taken, and whether one that was taken still holds.

Imported only where they are in use: it costs 160 ms for `cryptography`.
"""

import ssl
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from tls.certificates import CertificateError

REMEMBERED = 1024
"""How many certificates are kept decoded, 2 KB each."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a caller's certificate says: its subject as RFC 4514 writes it, its SHA-256."""

    subject: str
    sha256: bytes
    issuer: x509.Name
    serial: int
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class _RevocationList:
    serials: frozenset[int]
    next_update: datetime


class ClientTrust:
    """The authorities whose certificates clients may show, and the certificates they took back.

    `authorities` is a PEM file of root and intermediate certificates, `revocation_lists` one of
    CRLs, one for each of them. `required`: a handshake without a certificate fails.

    Raises: CertificateError for a file that can't be used, naming what is wrong.
    """

    def __init__(self, authorities: Path, revocation_lists: Path | None, *, required: bool) -> None:
        self._authorities_file = authorities
        self._lists_file = revocation_lists
        self._required = required
        self._authorities: list[x509.Certificate] = []
        self._applied: list[x509.Certificate] = []
        self._lists: dict[x509.Name, _RevocationList] = {}
        self._known: OrderedDict[bytes, ClientCertificate] = OrderedDict()
        self.load()

    @property
    def files(self) -> list[str]:
        """What is to be loaded again when it changes."""
        return [str(file) for file in (self._authorities_file, self._lists_file) if file]

    def load(self) -> None:
        """Read the files anew.

        Raises: CertificateError; then everything stays as it was.
        """
        authorities = _read_authorities(self._authorities_file)
        lists = _read_lists(self._lists_file, authorities) if self._lists_file else {}
        self._authorities, self._lists = authorities, lists

    def apply(self, context: ssl.SSLContext) -> bool:
        """Have OpenSSL ask for certificates, and verify them by what was loaded.

        Return whether the authorities are others than those of the context before.

        Raises: CertificateError if the files have changed since, to something that is none.
        """
        try:
            for file in self.files:
                context.load_verify_locations(file)
        except (ssl.SSLError, OSError) as error:
            raise CertificateError(f"{file} can't be read: {error}") from error
        context.verify_mode = ssl.CERT_REQUIRED if self._required else ssl.CERT_OPTIONAL
        context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST
        if self._lists_file:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
        others = self._applied not in ([], self._authorities)
        self._applied = self._authorities
        return others

    def identify(self, der: bytes) -> ClientCertificate | None:
        """Return what a certificate that OpenSSL has verified says; None if it holds no longer.

        A connection outlives a certificate's expiry and revocation, and so does a session that is
        resumed: so this is asked for each request.
        """
        certificate = self._known.get(der)
        if certificate is None:
            certificate = self._known[der] = _decode(x509.load_der_x509_certificate(der))
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        now = datetime.now(UTC)
        if not certificate.not_before <= now < certificate.not_after:
            return None
        if self._lists_file and self._is_revoked(certificate, now):
            return None
        return certificate

    def is_ours(self, der: bytes) -> bool:
        """Whether one of the authorities has signed a certificate that somebody else has verified.

        It must be signed by one of them itself: a proxy passes no intermediates on.
        """
        try:
            certificate = x509.load_der_x509_certificate(der)
        except ValueError:
            return False
        return any(_issued(authority, certificate) for authority in self._authorities)

    @property
    def problem(self) -> str | None:
        """What keeps certificates from being taken: a revocation list that is out of date."""
        now = datetime.now(UTC)
        for issuer, found in self._lists.items():
            if found.next_update <= now:
                return _out_of_date(self._lists_file, issuer, found.next_update)
        return None

    def _is_revoked(self, certificate: ClientCertificate, now: datetime) -> bool:
        """Whether it is on its issuer's list; without a list in force nobody knows: as OpenSSL."""
        found = self._lists.get(certificate.issuer)
        return found is None or found.next_update <= now or certificate.serial in found.serials


def _decode(certificate: x509.Certificate) -> ClientCertificate:
    return ClientCertificate(
        subject=certificate.subject.rfc4514_string(),
        sha256=certificate.fingerprint(hashes.SHA256()),
        issuer=certificate.issuer,
        serial=certificate.serial_number,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _read_authorities(file: Path) -> list[x509.Certificate]:
    try:
        authorities = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise CertificateError(f"[tls] client_ca: {file}: {error}") from error
    for authority in authorities:
        name = authority.subject.rfc4514_string()
        if not _is_authority(authority):
            raise CertificateError(f"[tls] client_ca: {file}: {name} is no authority's certificate")
        if authority.not_valid_after_utc <= datetime.now(UTC):
            raise CertificateError(f"[tls] client_ca: {file}: {name} has expired")
    if not any(authority.subject == authority.issuer for authority in authorities):
        raise CertificateError(
            f"[tls] client_ca: {file} holds no root: OpenSSL verifies up to a certificate that "
            "signs itself; add it"
        )
    return authorities


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _read_lists(
    file: Path, authorities: Iterable[x509.Certificate]
) -> dict[x509.Name, _RevocationList]:
    """Read a list for each authority, verified by its key."""
    where = f"[tls] client_crl: {file}"
    try:
        found = [x509.load_pem_x509_crl(pem) for pem in _split(file.read_bytes())]
    except (OSError, ValueError) as error:
        raise CertificateError(f"{where}: {error}") from error
    lists = {}
    for authority in authorities:
        name = authority.subject.rfc4514_string()
        mine = [crl for crl in found if crl.is_signature_valid(authority.public_key())]  # type: ignore[arg-type]
        if not mine:
            raise CertificateError(f"{where} holds no list that {name} of client_ca has signed")
        newest = max(mine, key=lambda crl: crl.last_update_utc)
        due = newest.next_update_utc or datetime.max.replace(tzinfo=UTC)
        if due <= datetime.now(UTC):
            raise CertificateError(_out_of_date(file, authority.subject, due))
        lists[authority.subject] = _RevocationList(
            frozenset(revoked.serial_number for revoked in newest), due
        )
    return lists


def _out_of_date(file: Path | None, issuer: x509.Name, due: datetime) -> str:
    return (
        f"[tls] client_crl: {file}: the list of {issuer.rfc4514_string()} was to be renewed by "
        f"{due:%Y-%m-%d %H:%M} UTC; until it is, none of its certificates is taken"
    )


_END = b"-----END X509 CRL-----"


def _split(pem: bytes) -> list[bytes]:
    """Return the lists of a file, each by itself; what is none fails to load as one."""
    parts = [part + _END for part in pem.split(_END)[:-1]]
    return parts or [pem]
