"""Whether clients could accept what is going to be served: its order, dates, names and purpose."""

import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tls.certificates import (
    CertificateError,
    CertificateFacts,
    check_pair,
    common_name,
    inspect,
    moment,
    open_pair,
)

_PEM = re.compile(r"-----BEGIN ((?:X509 )?CERTIFICATE)-----(.+?)-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Issuer:
    """One of the certificates after the first; names as OpenSSL decodes them."""

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
    """Check a pair, and its chain as the clients of `host` will; without a host, the pair alone.

    Raises: CertificateError where the two don't belong together, the file's certificates are not
    each signed by the next one, one has expired, or the first is not for `host`, or not a server's.
    """
    if host is None:
        return check_pair(certfile, keyfile, password)
    facts = inspect(certfile)
    found = _certificates(certfile)
    issuers = [_issuer(pem, number, certfile, found[0]) for number, pem in enumerate(found[1:], 2)]
    _check_order(issuers, certfile, facts)
    context = open_pair(facts, certfile, keyfile, password)
    _ask_as_client(context, found[-1], certfile, facts, host)
    return facts


def _certificates(certfile: Path | str) -> list[str]:
    try:
        text = Path(certfile).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CertificateError(f"{certfile} can't be read: {error.strerror}") from error
    frame = "-----{} CERTIFICATE-----"
    found = [frame.format("BEGIN") + m[2] + frame.format("END") for m in _PEM.finditer(text)]
    if not found:
        raise CertificateError(f"{certfile} holds no certificate in PEM form")
    return found


def _authorities(pem: str) -> list[Any]:
    """Return what OpenSSL decodes of a certificate, if that is an authority's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    return context.get_ca_certs()


def _issuer(pem: str, number: int, certfile: Path | str, first: str) -> _Issuer:
    try:
        authorities = _authorities(pem)
    except ssl.SSLError as error:
        raise CertificateError(f"certificate {number} of {certfile} can't be read") from error
    if not authorities:  # OpenSSL lists authorities alone
        if _authorities(first):
            raise CertificateError(
                f"certificate 1 of {certfile} is an authority's: the service's own comes first"
            )
        raise CertificateError(
            f"certificate {number} of {certfile} is no authority's: after the service's own "
            "certificate come its issuer, then that one's"
        )
    [decoded] = authorities
    return _Issuer(number, decoded["subject"], decoded["issuer"], moment(decoded["notAfter"]))


def _check_order(issuers: list[_Issuer], certfile: Path | str, facts: CertificateFacts) -> None:
    before, wanted = "certificate 1", facts.issuer_name
    for issuer in issuers:
        here = f"certificate {issuer.number} of {certfile} ({issuer.name})"
        if issuer.subject != wanted:
            raise CertificateError(
                f"{here} is not the issuer of {before}, which is {common_name(wanted)}: the order "
                "is the service's own certificate, its issuer, then that one's"
            )
        if issuer.not_after <= datetime.now(UTC):
            raise CertificateError(f"{here} expired on {issuer.not_after:%Y-%m-%d}")
        before, wanted = f"certificate {issuer.number}", issuer.issuer


def _ask_as_client(
    context: ssl.SSLContext, last_pem: str, certfile: Path | str, facts: CertificateFacts, host: str
) -> None:
    """Shake hands in memory, trusting the file's last certificate alone."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.hostname_checks_common_name = False  # as browsers: names are in subjectAltName
    trust.load_verify_locations(cadata=last_pem)
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = trust.wrap_bio(to_client, to_server, server_hostname=host)
    try:
        while not _is_done(client):
            _is_done(server)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in _OTHER_HOST:
            raise CertificateError(
                f"{certfile} is for {', '.join(facts.names) or 'no host'}, and clients ask for "
                f"{host}, which [plain_port] public_origin names: one of the two is wrong"
            ) from error
        raise CertificateError(
            f"clients will not accept {certfile}: {error.verify_message}"
        ) from error
    except ssl.SSLError as error:
        raise CertificateError(f"{certfile}: a handshake fails: {error.reason}") from error


_OTHER_HOST = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def _is_done(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
