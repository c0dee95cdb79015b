"""Client certificates: whose are taken, and whether one that was taken still holds.

Imported only where they are in use: it costs 160 ms for `cryptography`.
"""

import os
import ssl
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from tls.authorities import RevocationList, issued, out_of_date, read_authorities, read_lists
from tls.certificates import ClientCAError
from tls.watch import FileWatch

CACHE_SIZE = 1024
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


class ClientTrustStore:
    """The authorities whose certificates clients may show, and the certificates they took back.

    `authorities` is a PEM file of root and intermediate certificates, `revocation_lists` one of
    CRLs, one for each of them. `required`: a handshake without a certificate fails.

    Raises: ClientCAError for a file that can't be used, naming what is wrong.
    """

    def __init__(self, authorities: Path, revocation_lists: Path | None, *, required: bool) -> None:
        self._authorities_file = authorities
        self._lists_file = revocation_lists
        self._required = required
        self._pems: list[bytes] = []
        self._read: list[x509.Certificate] = []
        self._lists: dict[x509.Name, RevocationList] = {}
        self._known: OrderedDict[bytes, ClientCertificate] = OrderedDict()
        self._ours: OrderedDict[bytes, bool] = OrderedDict()
        self.watch = FileWatch(lambda: self.files)  # first: no change goes unseen
        self.generation = 0
        """Grows when the authorities change: what was verified before was so by others."""
        self.load()

    @property
    def files(self) -> list[str]:
        """What is to be loaded again when it changes."""
        return [str(file) for file in (self._authorities_file, self._lists_file) if file]

    def load(self) -> None:
        """Read the files anew.

        Raises: ClientCAError; then everything stays as it was.
        """
        try:
            pems = [Path(file).read_bytes() for file in self.files]
        except OSError as error:
            raise ClientCAError(f"[tls] client_ca, client_crl: {error}") from error
        authorities = read_authorities(self._authorities_file, pems[0])
        file = self._lists_file
        lists = read_lists(file, pems[1], authorities) if file else {}
        before = self._in_force()
        self._pems, self._read, self._lists = pems, authorities, lists
        self._ours.clear()
        if self._in_force() != before:
            self.generation += 1

    def apply(self, context: ssl.SSLContext) -> None:
        """Have OpenSSL ask for certificates, and verify them by what was loaded.

        Raises: ClientCAError if OpenSSL has another opinion of it.
        """
        try:
            for pem in self._pems:
                # It reads lists from files alone, and the file may be another one by now.
                with os.fdopen(os.memfd_create("trust"), "wb") as memory:
                    memory.write(pem)
                    memory.flush()
                    context.load_verify_locations(f"/proc/self/fd/{memory.fileno()}")
        except (ssl.SSLError, OSError) as error:
            raise ClientCAError(f"[tls] client_ca, client_crl: {error}") from error
        context.verify_mode = ssl.CERT_REQUIRED if self._required else ssl.CERT_OPTIONAL
        context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST
        if self._lists_file:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN

    def identify(self, der: bytes) -> ClientCertificate | None:
        """Return what a certificate that OpenSSL has verified says; None if it holds no longer.

        A connection outlives a certificate's expiry and revocation, and so does a session that is
        resumed: so this is asked for each request.
        """
        certificate = self._known.get(der)
        if certificate is None:
            certificate = self._known[der] = _decode(x509.load_der_x509_certificate(der))
            _bound(self._known)
        now = datetime.now(UTC)
        if not certificate.not_before <= now < certificate.not_after:
            return None
        if self._lists_file and self._is_revoked(certificate.issuer, certificate.serial, now):
            return None
        return certificate

    def trusts(self, der: bytes) -> bool:
        """Whether an authority has signed, for a client, what somebody else has verified.

        It must be signed by one of them itself: a proxy passes no intermediates on.
        """
        if der not in self._ours:
            self._ours[der] = self._is_signed(der)
            _bound(self._ours)
        return self._ours[der]

    @property
    def problem(self) -> str | None:
        """What keeps certificates from being taken: a list or an authority that is out of date."""
        now = datetime.now(UTC)
        for authority in self._read:
            if authority.not_valid_after_utc <= now:
                return f"[tls] client_ca: {authority.subject.rfc4514_string()} has expired"
        for issuer, found in self._lists.items():
            if found.next_update <= now:
                return out_of_date(self._lists_file, issuer, found.next_update)
        return None

    @property
    def renewal_warning(self) -> str | None:
        """Which list has to be renewed soon, if one has."""
        now = datetime.now(UTC)
        for issuer, found in self._lists.items():
            if found.needs_renewal(now):
                due = f"{found.next_update:%Y-%m-%d %H:%M} UTC"
                return f"the list of {issuer.rfc4514_string()} has to be renewed by {due}"
        return None

    def _is_signed(self, der: bytes) -> bool:
        try:
            certificate = x509.load_der_x509_certificate(der)
            usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            pass  # for any purpose (RFC 5280, section 4.2.1.12)
        except ValueError:
            return False
        else:
            if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
                return False
        return any(issued(authority, certificate) for authority in self._in_force())

    def _in_force(self) -> list[x509.Certificate]:
        """Return the authorities that are neither expired nor taken back by one above them."""
        now = datetime.now(UTC)
        return [
            authority
            for authority in self._read
            if authority.not_valid_after_utc > now
            and authority.serial_number not in self._taken_back_by(authority.issuer)
        ]

    def _taken_back_by(self, issuer: x509.Name) -> frozenset[int]:
        found = self._lists.get(issuer)
        return found.serials if found else frozenset()

    def _is_revoked(self, issuer: x509.Name, serial: int, now: datetime) -> bool:
        """Whether it is on its issuer's list; without a list in force nobody knows: as OpenSSL.

        An authority that was taken back itself vouches for nobody.
        """
        found = self._lists.get(issuer)
        if found is None or found.next_update <= now or serial in found.serials:
            return True
        return not any(authority.subject == issuer for authority in self._in_force())


def _bound(remembered: OrderedDict[bytes, Any]) -> None:
    if len(remembered) > CACHE_SIZE:
        remembered.popitem(last=False)


def _decode(certificate: x509.Certificate) -> ClientCertificate:
    return ClientCertificate(
        subject=certificate.subject.rfc4514_string(),
        sha256=certificate.fingerprint(hashes.SHA256()),
        issuer=certificate.issuer,
        serial=certificate.serial_number,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )
