"""The facts of a certificate.

It does not import `cryptography`, which takes 160 ms, since the web process only reads
certificates. tls/development.py creates them.
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
"""The prefix of the issuer's common name that marks a development certificate."""

Name = tuple[tuple[tuple[str, str], ...], ...]


class CertificateError(Exception):
    """A certificate or key cannot be served; the message names the file and the remedy."""


class ClientCAError(CertificateError):
    """A file of client CAs or CRLs cannot be used; the message names the key in [tls], too."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """The facts of the first certificate of a file."""

    subject: str
    issuer: str
    issuer_name: Name
    """The complete name, as decoded by OpenSSL."""
    names: tuple[str, ...]
    """The DNS names and IP addresses that it is valid for."""
    not_before: datetime
    not_after: datetime
    without_issuer: bool = False
    """Whether the file has no other certificate: clients must know the issuer, as with a root."""

    @property
    def development(self) -> bool:
        """Whether it was issued by a development CA."""
        return self.issuer.startswith(DEVELOPMENT_CA)

    def days_left(self, now: datetime | None = None) -> float:
        """Return the days until it expires; negative once it has expired."""
        return (self.not_after - (now or datetime.now(UTC))).total_seconds() / 86_400

    def needs_renewal(self, days: float) -> bool:
        """Return whether it should be renewed: in its last `days`, or last quarter if shorter.

        There are certificates with a lifetime of six days.
        """
        lifetime_days = (self.not_after - self.not_before).total_seconds() / 86_400
        return self.days_left() < min(days, lifetime_days / 4)

    def summary(self) -> dict[str, object]:
        """Return its fields in the log."""
        return {
            "names": self.names,
            "issuer": self.issuer,
            "not_after": self.not_after.isoformat(),
            "days_left": round(self.days_left(), 1),
            **({"without_issuer": True} if self.without_issuer and not self.development else {}),
        }


def inspect(certfile: Path | str) -> CertificateFacts:
    """Return the facts of the first certificate of a PEM file.

    Raises:
        CertificateError: the file is missing, unreadable, or has no certificate.

    """
    check_readable(certfile, "certificate")
    try:
        found: dict[str, Any] = _decode(str(certfile))
    except (ssl.SSLError, OSError, ValueError) as error:
        _forget_openssl_errors()
        raise CertificateError(
            f"{certfile} has no certificate in PEM form, which begins with "
            "-----BEGIN CERTIFICATE-----"
        ) from error
    return CertificateFacts(
        subject=common_name(found.get("subject", ())),
        issuer=common_name(found.get("issuer", ())),
        issuer_name=found.get("issuer", ()),
        names=tuple(
            _canonical(name)
            for kind, name in found.get("subjectAltName", ())
            if kind in _NAME_KINDS
        ),
        not_before=parse_time(found["notBefore"]),
        not_after=parse_time(found["notAfter"]),
        without_issuer=_count_certificates(certfile) == 1
        and found.get("issuer") != found.get("subject"),
    )


def _count_certificates(certfile: Path | str) -> int:
    return Path(certfile).read_bytes().count(b"-----BEGIN ")


_NAME_KINDS = frozenset({"DNS", "IP Address"})

# The decoder of SSLSocket.getpeercert: not public, but unchanged from Python 3.3 to 3.14, and the
# only way to decode a certificate without importing a cryptographic library.
_decode: "Callable[[str], dict[str, Any]]" = _ssl._test_decode_cert  # type: ignore[attr-defined]  # noqa: SLF001


def check_readable(file: Path | str, what: str) -> None:
    """Check that a file can be read.

    Raises:
        CertificateError: it is missing or cannot be read.

    """
    try:
        with Path(file).open("rb"):
            pass
    except FileNotFoundError as error:
        raise CertificateError(f"the {what} {file} is missing") from error
    except OSError as error:
        raise CertificateError(f"the {what} {file} cannot be read: {error.strerror}") from error


def _forget_openssl_errors() -> None:
    """Empty OpenSSL's error queue of this thread, in which a failed decoding leaves its error.

    The next read of any connection would report that error as its own. The ssl module empties the
    queue whenever it reports an error itself, so cause one.
    """
    with suppress(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=b"no certificate")


def common_name(parts: Name) -> str:
    """Return the common name of a decoded name; "" without one."""
    for part in parts:
        for kind, value in part:
            if kind == "commonName":
                return value
    return ""


def parse_time(text: str) -> datetime:
    """Return a time of a decoded certificate."""
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _canonical(name: str) -> str:
    """Return an IP address in its short form: OpenSSL prints ::1 as 0:0:0:0:0:0:0:1."""
    try:
        return str(ip_address(name.strip()))
    except ValueError:
        return name
