"""Authorities of a test's own: roots, intermediates, certificates of servers and clients, CRLs."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass
class Issued:
    """A certificate, its key, and those above it up to the root, which is left out."""

    certificate: x509.Certificate
    key: Key
    chain: list[x509.Certificate] = field(default_factory=list)

    @property
    def pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate alone, in DER form."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def full_pem(self) -> bytes:
        """The certificate and its chain, as a server wants them."""
        return self.pem + b"".join(
            each.public_bytes(serialization.Encoding.PEM) for each in self.chain
        )

    @property
    def sha256(self) -> str:
        """The certificate's SHA-256."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def key_pem(self, passphrase: str | None = None) -> bytes:
        """Return the key, encrypted where there is a passphrase."""
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            encryption = serialization.BestAvailableEncryption(passphrase.encode())
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )

    def write(self, directory: Path, name: str) -> tuple[Path, Path]:
        """Write the chain and the key; return where they lie."""
        directory.mkdir(parents=True, exist_ok=True)
        certfile, keyfile = directory / f"{name}.pem", directory / f"{name}.key"
        certfile.write_bytes(self.full_pem)
        keyfile.write_bytes(self.key_pem())
        keyfile.chmod(0o600)
        return certfile, keyfile


class Authority(Issued):
    """A CA: a root, or one that `above` has signed."""

    def __init__(
        self, name: str, above: "Authority | None" = None, *, began: datetime | None = None
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _begin(_name(name), key, above.certificate.subject if above else _name(name))
            .not_valid_before(began or datetime.now(UTC) - DAY)
            .not_valid_after((began or datetime.now(UTC)) + 400 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(_authority_key(above.key if above else key), critical=False)
            .sign(above.key if above else key, hashes.SHA256())
        )
        super().__init__(certificate, key, [above.certificate, *above.chain] if above else [])
        if self.chain and self.chain[-1].issuer == self.chain[-1].subject:
            self.chain.pop()

    def issue(
        self,
        name: str,
        *,
        names: Sequence[str] = (),
        usage: x509.ObjectIdentifier = SERVER,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        key: Key | None = None,
        ocsp: str | None = None,
    ) -> Issued:
        """Sign a certificate for `names`, or for a client called `name`.

        `ocsp` is where it says that its state can be asked.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = (
            _begin(_name(name), key, self.certificate.subject)
            .not_valid_before(not_before or datetime.now(UTC) - DAY)
            .not_valid_after(not_after or datetime.now(UTC) + 60 * DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_authority_key(self.key), critical=False)
        )
        if names:
            general = [_general(each) for each in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
        if ocsp is not None:
            place = x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp)
            )
            builder = builder.add_extension(
                x509.AuthorityInformationAccess([place]), critical=False
            )
        certificate = builder.sign(self.key, hashes.SHA256())
        root = self.certificate.issuer == self.certificate.subject
        return Issued(certificate, key, [] if root else [self.certificate, *self.chain])

    def revocation_list(
        self, *revoked: Issued, made: datetime | None = None, due: datetime | None = None
    ) -> bytes:
        """Sign a CRL of these certificates."""
        made = made or datetime.now(UTC) - timedelta(minutes=1)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(made)
            .next_update(due or datetime.now(UTC) + 7 * DAY)
        )
        for each in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(each.certificate.serial_number)
                .revocation_date(made)
                .build()
            )
        signed = builder.sign(self.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


def _begin(subject: x509.Name, key: Key, issuer: x509.Name) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(secrets.token_bytes(16)) >> 1)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority_key(key: Key) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _name(text: str) -> x509.Name:
    """Read `CN=name,O=organisation`, or a common name alone."""
    if "=" in text:
        return x509.Name.from_rfc4514_string(text)
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
