"""An authority of the tests' own: nginx's certificate, those of clients, revocation, OCSP."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


class Authority:
    """A root that signs everything directly; its files lie in `folder`.

    `ocsp` is where its certificate for localhost says that its state can be asked.
    """

    def __init__(self, folder: Path, *, ocsp: str | None = None) -> None:
        folder.mkdir(parents=True)
        self.folder, self._ocsp = folder, ocsp
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Tests {folder.name}")])
        self._serials: dict[str, int] = {}
        root = self._sign(self.name, self._key.public_key(), authority=True)
        self._write("ca.pem", root.public_bytes(serialization.Encoding.PEM))
        self._write("ca.key", _pem(self._key))
        self._write("clients.pem", root.public_bytes(serialization.Encoding.PEM))
        self.server = self.issue("localhost", server=True)
        # With its issuer behind it, as an ACME client writes it.
        chain = (folder / "localhost.pem").read_bytes() + (folder / "ca.pem").read_bytes()
        self._write("fullchain.pem", chain)
        (folder / "localhost.key").rename(folder / "privkey.pem")
        self.revoke()

    def issue(self, name: str, *, server: bool = False) -> x509.Certificate:
        """Make `name`.pem and `name`.key, for a client or a server."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), server=server)
        self._serials[name] = certificate.serial_number
        self._write(f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM))
        self._write(f"{name}.key", _pem(key))
        return certificate

    def revoke(self, *names: str) -> None:
        """Write a revocation list with these certificates."""
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder(self.name, now - DAY, now + DAY)
        for name in names:
            revoked = x509.RevokedCertificateBuilder(self._serials[name], now - DAY).build()
            builder = builder.add_revoked_certificate(revoked)
        found = builder.sign(self._key, hashes.SHA256())
        self._write("clients.crl", found.public_bytes(serialization.Encoding.PEM))

    def trust(self, certificate: str | None = None) -> ssl.SSLContext:
        """Return what trusts this authority alone, and shows one of its certificates."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.folder / "ca.pem")
        if certificate is not None:
            files = (self.folder / f"{certificate}.pem", self.folder / f"{certificate}.key")
            context.load_cert_chain(*files)
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        authority: bool = False,
        server: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if server:
            names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
            builder = builder.add_extension(names, critical=False)
        if server and self._ocsp is not None:
            place = x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(self._ocsp)
            )
            builder = builder.add_extension(
                x509.AuthorityInformationAccess([place]), critical=False
            )
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
