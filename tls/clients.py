"""Client certificates: the CAs that are trusted, and whether a certificate is valid now.

Imported only where they are in use, since `cryptography` takes 160 ms to import.
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

from tls.authorities import (
    RevocationList,
    expired_list,
    has_issued,
    read_authorities,
    read_revocation_lists,
)
from tls.certificates import ClientCAError
from tls.watch import FileWatch

CACHE_SIZE = 1024
"""The number of decoded certificates that are cached, 2 KB each."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A decoded client certificate; `subject` is an RFC 4514 string."""

    subject: str
    sha256: bytes
    issuer: x509.Name
    serial: int
    not_before: datetime
    not_after: datetime


class ClientTrustStore:
    """The CAs of client certificates, and their revocation lists.

    `authorities` is a PEM file of root and intermediate CA certificates, `revocation_lists` one
    with a CRL of each of them. `required`: a handshake without a certificate fails.

    Raises:
        ClientCAError: a file cannot be used.

    """

    def __init__(self, authorities: Path, revocation_lists: Path | None, *, required: bool) -> None:
        self._authorities_file = authorities
        self._lists_file = revocation_lists
        self._required = required
        self._pems: list[bytes] = []
        self._read: list[x509.Certificate] = []
        self._lists: dict[x509.Name, RevocationList] = {}
        self._decoded: OrderedDict[bytes, ClientCertificate] = OrderedDict()
        self._trusted: OrderedDict[bytes, bool] = OrderedDict()
        self.watch = FileWatch(lambda: self.files)  # first, so that no change is missed
        self.generation = 0
        """Increases when the CAs change: earlier connections were verified by the old ones."""
        self.load()

    @property
    def files(self) -> list[str]:
        """The files to load again when they change."""
        return [str(file) for file in (self._authorities_file, self._lists_file) if file]

    def load(self) -> None:
        """Load the files again.

        Raises:
            ClientCAError: a file cannot be used; the CAs and lists in use stay the same.

        """
        try:
            pems = [Path(file).read_bytes() for file in self.files]
        except OSError as error:
            raise ClientCAError(
                f"[tls] client_ca, client_crl: {error.filename} cannot be read: {error.strerror}"
            ) from error
        authorities = read_authorities(self._authorities_file, pems[0])
        file = self._lists_file
        lists = read_revocation_lists(file, pems[1], authorities) if file else {}
        before = self._valid_authorities()
        self._pems, self._read, self._lists = pems, authorities, lists
        self._trusted.clear()
        if self._valid_authorities() != before:
            self.generation += 1

    def apply(self, context: ssl.SSLContext) -> None:
        """Configure a context to request client certificates and verify them.

        Raises:
            ClientCAError: OpenSSL rejects the CAs or lists.

        """
        try:
            for pem in self._pems:
                # OpenSSL reads lists from files only, and the original file may have changed since.
                with os.fdopen(os.memfd_create("client-ca"), "wb") as memory:
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
        """Return a certificate that OpenSSL has verified; None if it has expired or is revoked now.

        It is called on each request, since connections and resumed sessions outlast a certificate.
        """
        certificate = self._decoded.get(der)
        if certificate is None:
            certificate = self._decoded[der] = _decode(x509.load_der_x509_certificate(der))
            _evict(self._decoded)
        now = datetime.now(UTC)
        if not certificate.not_before <= now < certificate.not_after:
            return None
        if self._lists_file and self._is_revoked(certificate.issuer, certificate.serial, now):
            return None
        return certificate

    def trusts(self, der: bytes) -> bool:
        """Return whether one of the CAs has issued a client certificate that a proxy has verified.

        It must have issued it directly, since a proxy does not pass on intermediate certificates.
        """
        if der not in self._trusted:
            self._trusted[der] = self._is_signed(der)
            _evict(self._trusted)
        return self._trusted[der]

    @property
    def problem(self) -> str | None:
        """Why certificates are rejected: an expired list or CA; None if there is none."""
        now = datetime.now(UTC)
        for authority in self._read:
            if authority.not_valid_after_utc <= now:
                return f"[tls] client_ca: {authority.subject.rfc4514_string()} has expired"
        for issuer, found in self._lists.items():
            if found.next_update <= now:
                return expired_list(self._lists_file, issuer, found.next_update)
        return None

    @property
    def renewal_warning(self) -> str | None:
        """The list that has to be renewed soon; None if there is none."""
        now = datetime.now(UTC)
        for issuer, found in self._lists.items():
            if found.needs_renewal(now):
                due = f"{found.next_update:%Y-%m-%d %H:%M} UTC"
                return f"the list of {issuer.rfc4514_string()} must be renewed by {due}"
        return None

    def _is_signed(self, der: bytes) -> bool:
        try:
            certificate = x509.load_der_x509_certificate(der)
            usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            pass  # valid for any purpose (RFC 5280, section 4.2.1.12)
        except ValueError:
            return False
        else:
            if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
                return False
        return any(has_issued(authority, certificate) for authority in self._valid_authorities())

    def _valid_authorities(self) -> list[x509.Certificate]:
        """Return the CAs that are neither expired nor revoked by their issuer."""
        now = datetime.now(UTC)
        return [
            authority
            for authority in self._read
            if authority.not_valid_after_utc > now
            and authority.serial_number not in self._revoked_by(authority.issuer)
        ]

    def _revoked_by(self, issuer: x509.Name) -> frozenset[int]:
        found = self._lists.get(issuer)
        return found.serials if found else frozenset()

    def _is_revoked(self, issuer: x509.Name, serial: int, now: datetime) -> bool:
        """Return whether a certificate is revoked, or its issuer is; True without a current list.

        OpenSSL treats a missing list the same way.
        """
        found = self._lists.get(issuer)
        if found is None or found.next_update <= now or serial in found.serials:
            return True
        return not any(authority.subject == issuer for authority in self._valid_authorities())


def _evict(remembered: OrderedDict[bytes, Any]) -> None:
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
