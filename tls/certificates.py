"""What a certificate says, and whether a pair of files may be served.

Nothing here imports `cryptography`: it costs 160 ms, and the web process only has to look.
Making certificates is in `tls/development.py`.
"""

import _ssl
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DEVELOPMENT_CA = "Sealed OCR development CA"
"""How the issuer's common name starts: what tells a development certificate from a real one."""


Name = tuple[tuple[tuple[str, str], ...], ...]


class CertificateError(Exception):
    """A certificate or key that can't be served; the message names the file and the mend."""


class ClientCAError(CertificateError):
    """A file of client authorities that can't be used; the message names its key of [tls], too."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What the first certificate of a file says about itself."""

    subject: str
    issuer: str
    issuer_name: Name
    """The whole of it, as OpenSSL decodes names."""
    names: tuple[str, ...]
    """DNS names and IP addresses it is valid for."""
    not_before: datetime
    not_after: datetime
    without_issuer: bool = False
    """Whether the file holds it without its issuer: clients that know the root alone refuse it,
    unless its issuer is the root, which nobody can tell here."""

    @property
    def development(self) -> bool:
        """Whether a development CA signed it."""
        return self.issuer.startswith(DEVELOPMENT_CA)

    def days_left(self, now: datetime | None = None) -> float:
        """How many days remain until it expires; negative once it has."""
        return (self.not_after - (now or datetime.now(UTC))).total_seconds() / 86_400

    def needs_renewal(self, days: float) -> bool:
        """Whether it should have been renewed: in its last days, or the last quarter of its life.

        The shorter of the two: there are certificates that live six days.
        """
        lifetime_days = (self.not_after - self.not_before).total_seconds() / 86_400
        return self.days_left() < min(days, lifetime_days / 4)

    def summary(self) -> dict[str, object]:
        """Return what the log says of it."""
        return {
            "names": self.names,
            "issuer": self.issuer,
            "not_after": self.not_after.isoformat(),
            "days_left": round(self.days_left(), 1),
            **({"without_issuer": True} if self.without_issuer and not self.development else {}),
        }


def inspect(certfile: Path | str) -> CertificateFacts:
    """Read the first certificate of a PEM file.

    Raises: CertificateError if the file is missing, unreadable or holds no certificate.
    """
    _readable(certfile, "certificate")
    try:
        found: dict[str, Any] = _decode(str(certfile))
    except (ssl.SSLError, OSError, ValueError) as error:
        _forget_openssl_errors()
        raise CertificateError(f"{certfile} holds no certificate in PEM form: {error}") from error
    return CertificateFacts(
        subject=common_name(found.get("subject", ())),
        issuer=common_name(found.get("issuer", ())),
        issuer_name=found.get("issuer", ()),
        names=tuple(
            _tidy(name) for kind, name in found.get("subjectAltName", ()) if kind in _NAME_KINDS
        ),
        not_before=moment(found["notBefore"]),
        not_after=moment(found["notAfter"]),
        without_issuer=_count(certfile) == 1 and found.get("issuer") != found.get("subject"),
    )


def _count(certfile: Path | str) -> int:
    return Path(certfile).read_bytes().count(b"-----BEGIN ")


def is_development(certfile: Path | str) -> bool:
    """Whether a development CA signed the certificate in this file."""
    return inspect(certfile).development


def check_pair(
    certfile: Path | str, keyfile: Path | str, password: str | None = None
) -> CertificateFacts:
    """Check that a certificate and its key can be served now, and return the certificate's facts.

    Raises: CertificateError naming what is wrong: missing, unreadable, expired, not yet valid, or
    a key that doesn't belong to the certificate.
    """
    facts = inspect(certfile)
    open_pair(facts, certfile, keyfile, password)
    return facts


def open_pair(
    facts: CertificateFacts, certfile: Path | str, keyfile: Path | str, password: str | None
) -> ssl.SSLContext:
    """Check the pair whose certificate says `facts`; return a context that has the two.

    Raises: CertificateError as check_pair.
    """
    _readable(keyfile, "key")
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

    Raises: CertificateError if the key is not the certificate's, is encrypted and the password is
    wrong or missing, or is no key at all.
    """
    try:
        # An empty password rather than None: without one OpenSSL asks the terminal.
        context.load_cert_chain(certfile, keyfile, password or "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CertificateError(
                f"{keyfile} is not the key of {certfile}, of its first certificate"
            ) from error
        if _is_encrypted(keyfile):
            raise CertificateError(_STAYS_LOCKED if password else _LOCKED) from error
        raise CertificateError(
            f"{keyfile} can't be read as the key of {certfile}: {error.reason or 'no key in PEM'}"
        ) from error
    except OSError as error:
        raise CertificateError(f"{certfile} or {keyfile} can't be read: {error}") from error


_LOCKED = (
    "the key is encrypted: its passphrase belongs in [tls] key_passphrase, best in a file "
    "tls__key_passphrase of the directory that OCR_SECRETS_DIR names"
)
_STAYS_LOCKED = "the key is encrypted, and [tls] key_passphrase does not open it"


def _is_encrypted(keyfile: Path | str) -> bool:
    """Whether PEM says so, as PKCS #8 ("BEGIN ENCRYPTED") or the old way ("Proc-Type: 4,...")."""
    return b"ENCRYPTED" in Path(keyfile).read_bytes()


_NAME_KINDS = frozenset({"DNS", "IP Address"})

# The decoder behind SSLSocket.getpeercert: not public, but unchanged from 3.3 to 3.14, and the
# one way to read a certificate's facts without importing a cryptographic library.
_decode: "Callable[[str], dict[str, Any]]" = _ssl._test_decode_cert  # type: ignore[attr-defined]  # noqa: SLF001


def _readable(file: Path | str, what: str) -> None:
    try:
        with Path(file).open("rb"):
            pass
    except FileNotFoundError as error:
        raise CertificateError(f"the {what} {file} is missing") from error
    except OSError as error:
        raise CertificateError(f"the {what} {file} can't be read: {error.strerror}") from error


def _forget_openssl_errors() -> None:
    """Empty OpenSSL's error queue, which a failed decoding leaves filled.

    The next read of an innocent connection of this thread would take the error for its own, and
    end. Every failure that the ssl module reports itself empties the queue: so fail once more.
    """
    with suppress(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=b"no certificate")


def common_name(parts: Name) -> str:
    """Return the common name of a decoded name, or nothing."""
    for part in parts:
        for kind, value in part:
            if kind == "commonName":
                return value
    return ""


def moment(text: str) -> datetime:
    """Return the time that a decoded certificate says."""
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _tidy(name: str) -> str:
    """Write an address the short way: OpenSSL prints ::1 as 0:0:0:0:0:0:0:1."""
    try:
        return str(ip_address(name.strip()))
    except ValueError:
        return name
