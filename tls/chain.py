"""Verification of a certificate chain as clients will do it: order, dates, names and purpose."""

import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tls.certificates import (
    CertificateError,
    CertificateFacts,
    common_name,
    inspect,
    parse_time,
)
from tls.pair import check_pair, load_valid_pair

_PEM = re.compile(r"-----BEGIN ((?:X509 )?CERTIFICATE)-----(.+?)-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Issuer:
    """A certificate after the first; names are as decoded by OpenSSL."""

    number: int
    subject: Any
    issuer: Any
    not_after: datetime

    @property
    def name(self) -> str:
        return common_name(self.subject) or "without a common name"


def check_chain(
    certfile: Path | str, keyfile: Path | str, password: str | None, host: str | None
) -> CertificateFacts:
    """Return the facts of a pair whose chain the clients of `host` can verify.

    Without a host only the pair is checked, as in check_pair.

    Raises:
        CertificateError: the key does not belong to the certificate, a certificate of the chain is
            not issued by the next one or has expired, or the first is not valid for `host`, or not
            for a server.

    """
    if host is None:
        return check_pair(certfile, keyfile, password)
    facts = inspect(certfile)
    found = _certificates(certfile)
    issuers = [_issuer(pem, number, certfile, found[0]) for number, pem in enumerate(found[1:], 2)]
    _check_order(issuers, certfile, facts)
    context = load_valid_pair(facts, certfile, keyfile, password)
    _handshake_as_client(context, found[-1], certfile, facts, host)
    return facts


def _certificates(certfile: Path | str) -> list[str]:
    try:
        text = Path(certfile).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CertificateError(f"{certfile} cannot be read: {error.strerror}") from error
    frame = "-----{} CERTIFICATE-----"
    found = [frame.format("BEGIN") + m[2] + frame.format("END") for m in _PEM.finditer(text)]
    if not found:
        raise CertificateError(f"{certfile} has no certificate in PEM form")
    return found


def _authorities(pem: str) -> list[Any]:
    """Return the decoded certificate in a list, which is empty if it is not a CA certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    return context.get_ca_certs()


def _issuer(pem: str, number: int, certfile: Path | str, first: str) -> _Issuer:
    try:
        authorities = _authorities(pem)
    except ssl.SSLError as error:
        raise CertificateError(f"certificate {number} of {certfile} cannot be decoded") from error
    if not authorities:  # OpenSSL lists CA certificates only
        if _authorities(first):
            raise CertificateError(
                f"certificate 1 of {certfile} is a CA certificate: the service's own must be first"
            )
        raise CertificateError(
            f"certificate {number} of {certfile} is not a CA certificate: the order is the "
            "service's own certificate, its issuer, then that one's issuer"
        )
    [decoded] = authorities
    return _Issuer(number, decoded["subject"], decoded["issuer"], parse_time(decoded["notAfter"]))


def _check_order(issuers: list[_Issuer], certfile: Path | str, facts: CertificateFacts) -> None:
    before, wanted = "certificate 1", facts.issuer_name
    for issuer in issuers:
        here = f"certificate {issuer.number} of {certfile} ({issuer.name})"
        if issuer.subject != wanted:
            raise CertificateError(
                f"{here} is not the issuer of {before}, which is {common_name(wanted)}: the order "
                "is the service's own certificate, its issuer, then that one's issuer"
            )
        if issuer.not_after <= datetime.now(UTC):
            raise CertificateError(f"{here} expired on {issuer.not_after:%Y-%m-%d}")
        before, wanted = f"certificate {issuer.number}", issuer.issuer


def _handshake_as_client(
    context: ssl.SSLContext, last_pem: str, certfile: Path | str, facts: CertificateFacts, host: str
) -> None:
    """Make a handshake in memory with a client that trusts only the file's last certificate."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.hostname_checks_common_name = False  # as in browsers: names are in subjectAltName
    trust.load_verify_locations(cadata=last_pem)
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = trust.wrap_bio(to_client, to_server, server_hostname=host)
    try:
        while not _handshake_step(client):
            _handshake_step(server)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in _OTHER_HOST:
            raise CertificateError(
                f"{certfile} is valid for {', '.join(facts.names) or 'no host'}, not for {host}, "
                "the host of [plain_port] public_origin: one of the two is wrong"
            ) from error
        raise CertificateError(
            f"clients would reject {certfile}: {error.verify_message}"
        ) from error
    except ssl.SSLError as error:
        raise CertificateError(
            f"{certfile}: a TLS handshake with it fails: {error.reason}"
        ) from error


_OTHER_HOST = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def _handshake_step(side: ssl.SSLObject) -> bool:
    """Continue a handshake; return whether it is complete."""
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
