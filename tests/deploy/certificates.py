"""A certificate of an authority that is nobody's, as an operator would bring one."""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAYS = 30


def make_certificate(directory: Path) -> Path:
    """Write a certificate and key for localhost; return the file of its authority."""
    directory.mkdir(parents=True, exist_ok=True)
    authority_key, authority = _authority()
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    leaf = (
        _builder("localhost", "An operator's authority", key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_issuer(authority_key), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    (directory / "certificate.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    (directory / "certificate.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    trusted = directory.with_name(f"{directory.name}-authority.pem")
    trusted.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    return trusted


def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = "An operator's authority"
    usage = {
        **dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment"), False),
        **dict.fromkeys(("data_encipherment", "key_agreement"), False),
        **dict.fromkeys(("encipher_only", "decipher_only"), False),
        **dict.fromkeys(("key_cert_sign", "crl_sign"), True),
    }
    certificate = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _issuer(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    name, by = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (subject, issuer)
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
    )
