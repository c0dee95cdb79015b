"""The certificate that the service starts with: made for development, otherwise checked."""

import ssl
from collections.abc import Sequence
from pathlib import Path

from service.log import log_event
from service.start_refused import refusing
from settings import Settings
from tls.certificates import CertificateError, CertificateFacts, inspect
from tls.chain import check_chain
from tls.development import ensure_development_certificate
from tls.profiles import choose_groups, groups_in_force

DEVELOPMENT_FILES = ("certificate.pem", "certificate.key")


def start_tls(settings: Settings) -> CertificateFacts | None:
    """Check or make the certificate, choose OpenSSL's groups, and log what TLS starts with.

    Returns None where a proxy has the certificate.

    Raises:
        StartRefused: the certificate or its key cannot be served.

    """
    server, tls = settings.server, settings.tls
    if not server.has_tls:
        return None
    with refusing(CertificateError, place="{file}: certfile, keyfile: "):
        facts = ready_certificate(
            Path(server.certfile or ""),
            Path(server.keyfile or ""),
            passphrase=tls.passphrase,
            host=settings.plain_port.host,
            public_binds=server.public_binds,
            allow_development=tls.allow_development_certificate,
        )
    choose_groups()
    log_event(
        event="tls",
        profile=tls.profile,
        openssl=ssl.OPENSSL_VERSION,
        groups=groups_in_force(),
        client_certificates=tls.client_certificates,
        **facts.summary(),
    )
    return facts


def check_certificate(settings: Settings) -> CertificateFacts:
    """Return the facts of the configured certificate, checked as it is now.

    Raises:
        CertificateError: the certificate or its key cannot be served.

    """
    certfile, keyfile = settings.server.certfile or "", settings.server.keyfile or ""
    return check_chain(certfile, keyfile, settings.tls.passphrase, settings.plain_port.host)


def ready_certificate(
    certfile: Path,
    keyfile: Path,
    *,
    passphrase: str | None,
    host: str,
    public_binds: Sequence[str],
    allow_development: bool,
) -> CertificateFacts:
    """Return the facts of the configured certificate, which is made first where that is allowed.

    A development certificate, for localhost and `host`, is made or renewed only where other
    machines cannot reach the service: elsewhere a missing file is a mistake.

    Raises:
        CertificateError: a file is missing or unreadable, key and certificate do not match, a
            certificate of the chain has expired or is out of order, the first is not for `host`,
            or a development certificate would be served to other machines.

    """
    private = not public_binds or allow_development
    if private and _is_development(certfile, keyfile):
        ensure_development_certificate(certfile.parent, [host])
    facts = check_chain(certfile, keyfile, passphrase, host)
    if facts.development and not private:
        raise CertificateError(
            f"{certfile} is a development certificate, and {public_binds[0]} is reachable from "
            "other machines: name a certificate that they trust in certfile and keyfile, bind to "
            "127.0.0.1, or, for a trial, set [tls] allow_development_certificate = true"
        )
    return facts


def _is_development(certfile: Path, keyfile: Path) -> bool:
    """Whether these are the development files: missing, or made here already."""
    if (certfile.name, keyfile.name) != DEVELOPMENT_FILES or certfile.parent != keyfile.parent:
        return False
    return not certfile.exists() or inspect(certfile).development
