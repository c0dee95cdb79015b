"""The development CA and its server certificate, created on demand and renewed before expiry.

A developer's machine trusts the CA, so it is restricted: it can sign only for the names it was
created for (name constraints, RFC 5280, section 4.2.1.10), cannot issue other CAs (path length 0),
and expires after a year. The server certificate expires no later than the CA.
"""

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from tls.certificates import (
    DEVELOPMENT_CA,
    CertificateError,
    CertificateFacts,
    inspect,
)
from tls.pair import check_pair
from tls.private_files import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
LEAF_DAYS = 90
CA_DAYS = 365
RENEW_BEFORE_DAYS = 15


@dataclass(frozen=True, slots=True)
class Paths:
    """The files of a development CA and its server certificate."""

    ca: Path
    ca_key: Path
    certificate: Path
    key: Path

    @classmethod
    def inside(cls, directory: Path) -> "Paths":
        """Return the default file names in a directory."""
        return cls(
            ca=directory / "ca.pem",
            ca_key=directory / "ca.key",
            certificate=directory / "certificate.pem",
            key=directory / "certificate.key",
        )


def ensure_development_certificate(
    directory: Path, names: "Iterable[str]" = (), *, days: int = LEAF_DAYS
) -> Paths:
    """Create what is missing, has expired or soon will, or lacks a name; return the files.

    The certificate is for `names`, localhost, 127.0.0.1 and ::1. A name for which the CA cannot
    sign needs a new CA, which clients have to trust again.

    Raises:
        CertificateError: a name is neither a host name nor an IP address, or the directory has a
            certificate of another CA, which is not replaced.

    """
    if not 1 <= days <= LEAF_DAYS:
        raise CertificateError(f"a certificate can be valid for 1 to {LEAF_DAYS} days, not {days}")
    wanted = _normalise([*LOCAL_NAMES, *names])
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = Paths.inside(directory)
    with _locked(directory):
        if _leaf_is_usable(paths, wanted):
            return paths
        _check_replaceable(paths)
        from tls import signing  # noqa: PLC0415 - imports cryptography: 160 ms

        now = datetime.now(UTC)
        if not _ca_is_usable(paths, wanted):
            ca, ca_key = signing.make_ca(DEVELOPMENT_CA, wanted, now, timedelta(days=CA_DAYS))
            write_private(paths.ca_key, ca_key, 0o600)
            write_private(paths.ca, ca, 0o644)
        leaf, leaf_key = signing.make_leaf(
            paths.ca.read_bytes(), paths.ca_key.read_bytes(), wanted, now, timedelta(days=days)
        )
        write_private(paths.key, leaf_key, 0o600)
        write_private(paths.certificate, leaf, 0o644)
    return paths


def _leaf_is_usable(paths: Paths, wanted: tuple[str, ...]) -> bool:
    """Return whether the pair is valid, issued by the CA, not soon to expire, and has the names."""
    try:
        facts = check_pair(paths.certificate, paths.key)
        ca = inspect(paths.ca)
    except CertificateError:
        return False
    return (
        set(wanted) <= set(facts.names)
        and facts.issuer == ca.subject
        and not _needs_renewal(facts)
        and not _needs_renewal(ca)
    )


def _ca_is_usable(paths: Paths, wanted: tuple[str, ...]) -> bool:
    """Return whether the CA is valid, not soon to expire, and can sign for the names."""
    try:
        facts = check_pair(paths.ca, paths.ca_key)
    except CertificateError:
        return False
    from tls import signing  # noqa: PLC0415 - imports cryptography: 160 ms

    permitted = signing.permitted_names(paths.ca.read_bytes())
    return facts.development and not _needs_renewal(facts) and set(wanted) <= permitted


def _needs_renewal(facts: CertificateFacts) -> bool:
    """Return whether the last days have begun, or the last sixth of the lifetime if shorter."""
    lifetime_days = (facts.not_after - facts.not_before).total_seconds() / 86_400
    return facts.days_left() < min(RENEW_BEFORE_DAYS, lifetime_days / 6)


def _check_replaceable(paths: Paths) -> None:
    """Refuse to replace a certificate that another CA issued, whatever its state."""
    for file in (paths.certificate, paths.ca):
        if not file.exists():
            continue
        try:
            development = inspect(file).development
        except CertificateError:
            continue  # no certificate: an incomplete or empty file of ours
        if not development:
            raise CertificateError(
                f"{file} is not a development certificate and will not be replaced: move it first"
            )


def _normalise(names: "Iterable[str]") -> tuple[str, ...]:
    """Return lower-case host names and canonical addresses, without duplicates."""
    return tuple(dict.fromkeys(_normal_name(name) for name in names))


def _normal_name(name: str) -> str:
    try:
        address: IPv4Address | IPv6Address = ip_address(name.strip("[]"))
    except ValueError:
        pass
    else:
        return str(address)
    try:
        host = name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise CertificateError(f"{name!r} is neither a host name nor an address") from error
    labels = host.removeprefix("*.").split(".")
    if not all(label and label.replace("-", "").isalnum() for label in labels):
        raise CertificateError(f"{name!r} is neither a host name nor an address")
    return host


@contextmanager
def _locked(directory: Path) -> "Iterator[None]":
    """Lock a directory: workers start concurrently, and only one may create certificates."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
