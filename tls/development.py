"""A development CA and the certificate it signs: made once, renewed in time, kept private.

The CA is meant to be trusted by a developer's machine, so it is held short: it can sign only for
the names it was made for (name constraints, RFC 5280 section 4.2.1.10), nothing below itself
(path length 0), and lives a year: long enough that trusting it is a yearly chore, short enough
that a forgotten one dies. The leaf never outlives it.
"""

import fcntl
import os
import secrets
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
    check_pair,
    inspect,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
LEAF_DAYS = 90
CA_DAYS = 365
RENEW_BEFORE_DAYS = 15


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a development CA and its leaf lie."""

    ca: Path
    ca_key: Path
    certificate: Path
    key: Path

    @classmethod
    def inside(cls, directory: Path) -> "Paths":
        """Give the default file names in a directory."""
        return cls(
            ca=directory / "ca.pem",
            ca_key=directory / "ca.key",
            certificate=directory / "certificate.pem",
            key=directory / "certificate.key",
        )


def ensure_development_certificate(
    directory: Path, names: "Iterable[str]" = (), *, days: int = LEAF_DAYS
) -> Paths:
    """Make what is missing, expired, about to expire or short of a name; leave the rest alone.

    The names given come on top of localhost, 127.0.0.1 and ::1. A name the CA may not sign for
    makes a new CA too, which has to be trusted anew.

    Raises: CertificateError for a name that is neither a host name nor an IP address, or for a
    certificate at that place that is not ours to replace.
    """
    if not 1 <= days <= LEAF_DAYS:
        raise CertificateError(f"a certificate lives 1 to {LEAF_DAYS} days, not {days}")
    wanted = _normalise([*LOCAL_NAMES, *names])
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = Paths.inside(directory)
    with _alone(directory):
        if _leaf_serves(paths, wanted):
            return paths
        _refuse_foreign(paths)
        from tls import signing  # noqa: PLC0415 - imports cryptography: 160 ms

        now = datetime.now(UTC)
        if not _ca_serves(paths, wanted):
            ca, ca_key = signing.make_ca(DEVELOPMENT_CA, wanted, now, timedelta(days=CA_DAYS))
            _write(paths.ca_key, ca_key, 0o600)
            _write(paths.ca, ca, 0o644)
        leaf, leaf_key = signing.make_leaf(
            paths.ca.read_bytes(), paths.ca_key.read_bytes(), wanted, now, timedelta(days=days)
        )
        _write(paths.key, leaf_key, 0o600)
        _write(paths.certificate, leaf, 0o644)
    return paths


def _leaf_serves(paths: Paths, wanted: tuple[str, ...]) -> bool:
    """Whether the pair at hand is valid for long enough, ours, whole, and has the names."""
    try:
        facts = check_pair(paths.certificate, paths.key)
        ca = inspect(paths.ca)
    except CertificateError:
        return False
    return (
        set(wanted) <= set(facts.names)
        and facts.issuer == ca.subject
        and not _due(facts)
        and not _due(ca)
    )


def _ca_serves(paths: Paths, wanted: tuple[str, ...]) -> bool:
    """Whether the CA at hand can sign for these names for as long as a leaf needs it."""
    try:
        facts = check_pair(paths.ca, paths.ca_key)
    except CertificateError:
        return False
    from tls import signing  # noqa: PLC0415 - imports cryptography: 160 ms

    permitted = signing.permitted_names(paths.ca.read_bytes())
    return facts.development and not _due(facts) and set(wanted) <= permitted


def _due(facts: CertificateFacts) -> bool:
    """Renew in the last days, or for a shorter life in its last sixth."""
    lifetime_days = (facts.not_after - facts.not_before).total_seconds() / 86_400
    return facts.days_left() < min(RENEW_BEFORE_DAYS, lifetime_days / 6)


def _refuse_foreign(paths: Paths) -> None:
    """Never write over a certificate that somebody else issued, whatever its state."""
    for file in (paths.certificate, paths.ca):
        if not file.exists():
            continue
        try:
            development = inspect(file).development
        except CertificateError:
            continue  # not a certificate at all: a torn or empty file of ours
        if not development:
            raise CertificateError(f"{file} is not a development certificate: move it away first")


def _normalise(names: "Iterable[str]") -> tuple[str, ...]:
    """Lower-case host names and canonical addresses, each once, in the order given."""
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
def _alone(directory: Path) -> "Iterator[None]":
    """Let one process at a time make certificates here: workers start side by side."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(file: Path, content: bytes, mode: int) -> None:
    """Replace a file in one step; its content is never readable under a laxer mode."""
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(fresh, flags, mode), "wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
