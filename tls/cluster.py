"""The CA of a cluster, and the certificates of its nodes and clients.

The CA is the cluster's own: whoever has one of its certificates runs code on every node. The nodes
do not compare names (distributed, security.py, check_hostname), so a certificate has none but its
holder's. Only a node's is valid for servers: a client's key cannot take a node's place.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tls.certificates import CertificateError, inspect
from tls.private_files import write_private

CA_DAYS = 730
DAYS = 365
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


def ca_of(directory: Path) -> Pair:
    """Return the files of the CA in a directory."""
    return Pair(directory / "ca.pem", directory / "ca.key")


def make_cluster_ca(directory: Path) -> Pair:
    """Make the CA of a new cluster.

    Raises:
        CertificateError: the directory has one.

    """
    from tls import signing  # noqa: PLC0415 - imports cryptography: 160 ms

    made = ca_of(directory)
    for file in (made.certificate, made.key):
        if file.exists():
            raise CertificateError(
                f"{file} is there already, and is not replaced: the nodes trust it. For a new "
                "cluster name another --directory"
            )
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificate, key = signing.make_ca(
        "Sealed OCR cluster CA", (), datetime.now(UTC), timedelta(days=CA_DAYS)
    )
    write_private(made.key, key, 0o600)
    write_private(made.certificate, certificate, 0o644)
    return made


def make_cluster_certificate(directory: Path, name: str, *, node: bool, days: int = DAYS) -> Pair:
    """Make a certificate of a node (of the scheduler or a worker), or of a client.

    Raises:
        CertificateError: the name or the days cannot be used, or the directory has no CA, an
            expired one, or a certificate of this name.

    """
    from tls import signing  # noqa: PLC0415 - imports cryptography: 160 ms

    if not _NAME.fullmatch(name) or name == "ca":
        raise CertificateError(f"{name!r} is no name of a file: use A-Z a-z 0-9 . _ - and not ca")
    if not 1 <= days <= CA_DAYS:
        raise CertificateError(f"a certificate can be valid for 1 to {CA_DAYS} days, not {days}")
    ca = ca_of(directory)
    if not ca.key.exists():
        raise CertificateError(f"{directory} has no CA: make one with scripts/cluster ca")
    facts = inspect(ca.certificate)
    if facts.days_left() < 1:
        raise CertificateError(f"{ca.certificate} expires on {facts.not_after:%Y-%m-%d}")
    made = Pair(directory / f"{name}.pem", directory / f"{name}.key")
    if made.certificate.exists():
        raise CertificateError(f"{made.certificate} is there already: remove it, or use a new name")
    certificate, key = signing.make_leaf(
        ca.certificate.read_bytes(),
        ca.key.read_bytes(),
        (name,),
        datetime.now(UTC),
        timedelta(days=days),
        subject=f"Sealed OCR cluster {'node' if node else 'client'} {name}",
        usages=(signing.SERVER, signing.CLIENT) if node else (signing.CLIENT,),
    )
    write_private(made.key, key, 0o600)
    write_private(made.certificate, certificate, 0o644)
    return made
