"""How a scheduler and a worker talk: TLS alone, with the cluster's CA alone; nothing on the disk.

distributed takes its options from variables, from files in the home directory, and from these. What
is not named here has no effect on what is sent, stored or run.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.errors import ClusterRefused
from settings.tables import Cluster
from tls.certificates import CertificateError, CertificateFacts, inspect
from tls.pair import check_pair

if TYPE_CHECKING:
    from distributed import Security

# A task is queued at the scheduler until a worker has a thread for it: a worker that is lost takes
# few with it. `allowed-failures` is 0, and not 3, because the scheduler counts a failure for every
# page that a lost worker had, read or not: the client counts (client/.../cluster/page_reader.py).
OPTIONS: Mapping[str, Any] = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.work-stealing-interval": "200ms",
    # It would remove the copies of a document that workers have while its pages are being read.
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.idle-timeout": None,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.lifetime.duration": None,
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.log-length": 0,
    # The last messages of each connection are kept, documents included: 1,000 by default.
    "distributed.admin.low-level-log-length": 1,
    "distributed.comm.require-encryption": True,
    "distributed.comm.timeouts.connect": "10s",
    "distributed.comm.timeouts.tcp": "15s",
    # Modules that would be run at the start.
    "distributed.scheduler.preload": [],
    "distributed.worker.preload": [],
}


def security_of(cluster: Cluster, directory: Path) -> "Security":
    """Return the certificates of this node, for both sides of every connection.

    Raises:
        ClusterRefused: a file is missing, does not belong to the others, or has expired.

    """
    ca = directory / cluster.ca
    certificate, key = directory / cluster.certificate, directory / cluster.key
    try:
        facts = check_pair(certificate, key)
        authority = inspect(ca)
        _check_issuer(facts, certificate, ca)
    except CertificateError as error:
        raise ClusterRefused(
            f"[cluster]: {error}. scripts/cluster ca and scripts/cluster certificate make them"
        ) from None
    if authority.days_left() <= 0:
        raise ClusterRefused(f"[cluster] ca: {ca} expired on {authority.not_after:%Y-%m-%d}")
    from distributed import Security  # noqa: PLC0415 - installed on nodes of clusters only

    pair = {"cert": str(certificate), "key": str(key)}
    roles = {
        f"tls_{role}_{part}": file
        for role in ("scheduler", "worker", "client")
        for part, file in pair.items()
    }
    return Security(  # type: ignore[no-untyped-call]
        require_encryption=True,
        tls_ca_file=str(ca),
        tls_min_version=ssl.TLSVersion.TLSv1_3,
        **roles,
    )


def _check_issuer(facts: CertificateFacts, certificate: Path, ca: Path) -> None:
    """Check that the CA has signed a certificate, and that it is a node's.

    Raises:
        CertificateError: it has not, or it is a client's.

    """
    from cryptography import x509  # noqa: PLC0415 - takes 160 ms to import

    from tls.authorities import has_issued  # noqa: PLC0415

    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    if not has_issued(x509.load_pem_x509_certificate(ca.read_bytes()), found):
        raise CertificateError(f"{certificate} is not a certificate of the CA in {ca}")
    usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if len(usage) < 2:  # noqa: PLR2004 - for servers and for clients
        raise CertificateError(f"{certificate} is a client's ({facts.subject}): make one of a node")
