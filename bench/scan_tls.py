"""Runs two TLS scanners: `python bench/scan_tls.py --sslyze ../venv-sslyze/bin/sslyze`.

Makes a private CA, an intermediate and a certificate like a public one (ECDSA P-256, 90 days),
starts the service with it, once for each profile, has sslyze compare it with Mozilla's
configuration of that name and testssl.sh look for weaknesses. Prints Markdown; exit status 1 where
sslyze does not say compliant, or testssl.sh finds something above LOW.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bench.figures import table
from bench.machine import describe
from bench.servers import Server, launch_ours

SKIPPED = "skipped"
PROFILES = ("intermediate", "modern")
PEM = serialization.Encoding.PEM
RECOGNISER = "sealed-crnn-v2"  # is not started
ABOVE_LOW = ("MEDIUM", "HIGH", "CRITICAL")
CRL = "http://crl.example/authority.crl"  # which neither scanner fetches


class Authority:
    """A key and its certificate, which sign others."""

    def __init__(self, name: str, above: "Authority | None" = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        length = 1 if above is None else 0
        self.certificate = (above or self).sign(
            self.key, self.name, timedelta(days=1825),
            (x509.BasicConstraints(ca=True, path_length=length), True),
            (_usage(signs_certificates=True), True),
        )  # fmt: skip

    def sign(
        self,
        key: ec.EllipticCurvePrivateKey,
        name: x509.Name,
        lifetime: timedelta,
        *extensions: tuple[x509.ExtensionType, bool],
    ) -> bytes:
        """Return a certificate for a key."""
        public, now = key.public_key(), datetime.now(UTC) - timedelta(minutes=5)
        builder = (
            x509.CertificateBuilder(self.name, name, public, x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + lifetime)
        )
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(CRL)], None, None, None)
        for extension, critical in (
            *extensions,
            (x509.SubjectKeyIdentifier.from_public_key(public), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False),
            (x509.CRLDistributionPoints([point]), False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    unused = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False
    )  # fmt: skip
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        **unused,
    )


def certify(folder: Path) -> None:
    """Put a chain for localhost, its key and the root into a folder."""
    root = Authority("Scan Root")
    middle = Authority("Scan Intermediate", root)
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = middle.sign(
        key,
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
        timedelta(days=90),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([x509.DNSName("localhost")]), False),
    )
    (folder / "ca.pem").write_bytes(root.certificate)
    (folder / "certificate.pem").write_bytes(leaf + middle.certificate)
    (folder / "certificate.key").write_bytes(
        key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def sslyze(program: str, server: Server, profile: str) -> str:
    """Return what sslyze says of the profile."""
    said = subprocess.run(
        [program, f"--mozilla_config={profile}", "--certinfo_ca_file", server.ca,
         f"localhost:{server.port}"],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    verdict = said.partition("for more details.")[2]
    return " ".join(verdict.split()) or said[-2000:]


def testssl(server: Server, folder: Path) -> list[dict[str, Any]]:
    """Return what testssl.sh finds."""
    result = folder / f"{server.port}.json"
    subprocess.run(
        ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none",
         "--add-ca", server.ca, "--jsonfile", result, "--ip", "127.0.0.1",
         f"https://localhost:{server.port}/healthz"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(result.read_text("utf-8"))
    return found


def main() -> int:
    """Scan both profiles; return the exit status."""
    parser = argparse.ArgumentParser(prog="scan_tls", description=__doc__)
    parser.add_argument("--sslyze", default="sslyze", help="the program, in a venv of its own")
    parser.add_argument("--skip", action="append", default=[], choices=("sslyze", "testssl"))
    parser.add_argument("--out", type=Path, help="folder for testssl.sh's whole results")
    arguments = parser.parse_args()
    print(describe())
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        for profile in PROFILES:
            variables = {"OCR_TLS__PROFILE": profile}
            with launch_ours(RECOGNISER, certify=certify, variables=variables) as server:
                skipped = {name: name in arguments.skip for name in ("sslyze", "testssl")}
                verdict = (
                    SKIPPED if skipped["sslyze"] else sslyze(arguments.sslyze, server, profile)
                )
                out = arguments.out or Path(folder)
                found = [] if skipped["testssl"] else testssl(server, out)
            print(f"\n## {profile}\n\nsslyze: {verdict}\n")
            counts = Counter(each["severity"] for each in found)
            print("testssl.sh: " + ", ".join(f"{n} {name}" for name, n in counts.items()) + "\n")
            told = [each for each in found if each["severity"] not in {"OK", "INFO"}]
            rows = [[each["severity"], each["id"], each["finding"]] for each in told]
            print(table(["severity", "what", "finding"], rows))
            bad |= not verdict.endswith((SKIPPED, "OK - Compliant."))
            bad |= any(each["severity"] in ABOVE_LOW for each in found)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
