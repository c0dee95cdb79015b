"""Measures TLS handshakes: `python bench/handshakes.py [--rounds 12] [--batch 20]`.

Three services run side by side, as shipped except for their certificates: ECDSA P-256, RSA-2048 and
RSA-4096, all signed by one ECDSA CA. The bench connects to each in turn, in batches, with TLS 1.3
and 1.2, with a full handshake and with a resumed session. Two figures: the client's clock from the
first byte of the handshake to its last, which includes the work of both sides; and the processor
time of the web process for the whole connection, from accept to close. Prints Markdown.
"""

import argparse
import contextlib
import itertools
import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from bench.figures import in_turn, spread, table
from bench.machine import describe
from bench.processes import cpu_s
from bench.servers import Server, launch_ours

RECOGNISER = "sealed-crnn-v2"  # is not started
SETTLE_S = 0.1  # until the service has closed what the client has
PATIENCE_S = 30
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
KINDS: dict[str, Callable[[], Key]] = {
    "ECDSA P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RSA-2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA-4096": lambda: rsa.generate_private_key(65537, 4096),
}
VERSIONS = {"TLS 1.3": ssl.TLSVersion.TLSv1_3, "TLS 1.2": ssl.TLSVersion.TLSv1_2}
MANNERS = ("full", "resumed")


def certify(folder: Path, key: Key) -> None:
    """Put a certificate for localhost, its key and the authority into a folder."""
    authority, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench authority")])

    def sign(subject: x509.Name, public: Key, *extensions: x509.ExtensionType) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=2))
        )
        for extension in extensions:
            critical = isinstance(extension, x509.BasicConstraints)
            builder = builder.add_extension(extension, critical=critical)
        signed = builder.sign(authority, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    constraints = x509.BasicConstraints(ca=True, path_length=0)
    (folder / "ca.pem").write_bytes(sign(issuer, authority, constraints))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    (folder / "certificate.pem").write_bytes(sign(x509.Name([]), key, names))
    (folder / "certificate.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Subject:
    """One service by one version: handshakes of both manners, and what they cost."""

    def __init__(self, server: Server, version: ssl.TLSVersion) -> None:
        self._server = server
        self._context = ssl.create_default_context(cafile=server.ca)
        self._context.minimum_version = self._context.maximum_version = version
        self._context.set_alpn_protocols(["h2"])
        self._session: ssl.SSLSession | None = None
        self.clock_ms: dict[str, list[float]] = {manner: [] for manner in MANNERS}
        self.cpu_ms: dict[str, list[float]] = {manner: [] for manner in MANNERS}

    def measure(self, manner: str, batch: int) -> None:
        """Make a batch of handshakes of one manner."""
        before = cpu_s([self._server.process.pid])
        took = [self._handshake(resume=manner == "resumed") for _ in range(batch)]
        time.sleep(SETTLE_S)
        self.clock_ms[manner].append(statistics.median(took))
        self.cpu_ms[manner].append((cpu_s([self._server.process.pid]) - before) * 1e3 / batch)

    def _handshake(self, *, resume: bool) -> float:
        bare = socket.create_connection(("127.0.0.1", self._server.port), PATIENCE_S)
        bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._context.wrap_socket(
            bare,
            server_hostname="localhost",
            do_handshake_on_connect=False,
            session=self._session if resume else None,
        ) as secured:
            began = time.perf_counter()
            secured.do_handshake()
            took = (time.perf_counter() - began) * 1e3
            if secured.session_reused != resume:
                raise RuntimeError("a handshake was not of the manner that was meant")
            secured.recv(4096)  # HTTP/2's settings; a session of TLS 1.3 comes along
            self._session = secured.session
        return took


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="handshakes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--batch", type=int, default=20)
    arguments = parser.parse_args()
    print(describe() + f", {ssl.OPENSSL_VERSION}\n")
    with contextlib.ExitStack() as servers:
        subjects: dict[tuple[str, str], Subject] = {}
        for kind, make in KINDS.items():
            server = servers.enter_context(
                launch_ours(RECOGNISER, certify=lambda folder, make=make: certify(folder, make()))  # type: ignore[misc]
            )
            for name, version in VERSIONS.items():
                subjects[kind, name] = Subject(server, version)
        for subject in subjects.values():  # warms up, and leaves a session
            subject.measure("full", arguments.batch)
            subject.clock_ms["full"].clear()
            subject.cpu_ms["full"].clear()
        cases = list(itertools.product(subjects.values(), MANNERS))
        for number in range(arguments.rounds):
            for subject, manner in in_turn(cases, number):
                subject.measure(manner, arguments.batch)
    show(subjects)
    return 0


def show(subjects: dict[tuple[str, str], Subject]) -> None:
    """Print what each costs, and how it compares to ECDSA by the same version."""
    rows = []
    for (kind, version), manner in itertools.product(subjects, MANNERS):
        subject, base = subjects[kind, version], subjects["ECDSA P-256", version]
        figures = ((subject.clock_ms, base.clock_ms), (subject.cpu_ms, base.cpu_ms))
        cells = [f"{spread(own[manner], 2)} | {ratio(own[manner], other[manner])}"
                 for own, other in figures]  # fmt: skip
        rows.append([f"{kind}, {version}, {manner}", *cells])
    head = ["handshake", "client's clock, ms", "of ECDSA's", "web process, ms", "of ECDSA's"]
    print(table(head, rows))


def ratio(values: Sequence[float], base: Sequence[float]) -> str:
    """Return how many times as much the median is."""
    return f"{statistics.median(values) / statistics.median(base):.2f}x"


if __name__ == "__main__":
    sys.exit(main())
