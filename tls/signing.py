"""Signing of ECDSA P-256 certificates. It imports `cryptography`, which takes 160 ms."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLOCK_SKEW = timedelta(minutes=5)
"""By how much a client's clock may be behind without rejecting a new certificate."""


def make_ca(
    name: str, names: tuple[str, ...], now: datetime, lifetime: timedelta
) -> tuple[bytes, bytes]:
    """Return certificate and key, in PEM form, of a CA that can sign for these names only.

    Without names it can sign for all.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    # The date helps users of a trust store; the random part distinguishes CAs of the same day.
    subject = _common_name(f"{name} {now:%Y-%m-%d} {secrets.token_hex(3)}")
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        _dated(now, lifetime)
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(identifier, critical=False)
    )
    if names:
        permitted = x509.NameConstraints([_subtree(name) for name in names], None)
        builder = builder.add_extension(permitted, critical=True)
    return _pem(builder.sign(key, hashes.SHA256())), _key_pem(key)


SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


def make_leaf(
    ca_pem: bytes,
    ca_key_pem: bytes,
    names: tuple[str, ...],
    now: datetime,
    lifetime: timedelta,
    *,
    subject: str = "Sealed OCR development certificate",
    usages: Sequence[x509.ObjectIdentifier] = (SERVER,),
) -> tuple[bytes, bytes]:
    """Return certificate and key, in PEM form, signed by the CA; by default a server's.

    The root is not included: clients must have it anyway (RFC 8446, section 4.4.2).
    """
    ca = x509.load_pem_x509_certificate(ca_pem)
    ca_key = serialization.load_pem_private_key(ca_key_pem, None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the CA's key is not an elliptic curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _dated(now, min(lifetime, ca.not_valid_after_utc - now))
        .subject_name(_common_name(subject))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    return _pem(certificate), _key_pem(key)


def permitted_names(ca_pem: bytes) -> set[str]:
    """Return the names for which a CA can sign; none for an unconstrained CA, to be replaced."""
    ca = x509.load_pem_x509_certificate(ca_pem)
    try:
        constraints = ca.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return set()
    return {
        str(name.value).partition("/")[0]  # an address is stored as a network of one address
        for name in constraints.permitted_subtrees or ()
    }


def _dated(now: datetime, lifetime: timedelta) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime - CLOCK_SKEW)
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _subtree(name: str) -> x509.GeneralName:
    """Return the constraint to one address, or to one host name and its subdomains."""
    try:
        return x509.IPAddress(ip_network(name))
    except ValueError:
        return x509.DNSName(name.removeprefix("*."))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
