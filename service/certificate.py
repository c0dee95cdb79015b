"""The certificate that the service starts with: made for development, otherwise checked."""

import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from service.log import log_event
from service.start_refused import refusing
from settings import Loc, Settings
from tls.certificates import CertificateError, CertificateFacts, ClientCAError, inspect
from tls.chain import check_chain
from tls.development import ensure_development_certificate
from tls.profiles import choose_groups, groups_in_force

if TYPE_CHECKING:  # it takes 160 ms to import, and most services do not need it
    from tls.clients import ClientTrustStore

PAIR: tuple[Loc, ...] = (("server", "certfile"), ("server", "keyfile"))
CLIENT_FILES: tuple[Loc, ...] = (("tls", "client_ca"), ("tls", "client_crl"))
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
    with refusing(CertificateError, locs=PAIR):
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


def client_trust(settings: Settings, directory: Path) -> "ClientTrustStore | None":
    """Return what verifies client certificates; None where none are requested.

    Raises:
        StartRefused: a CA or CRL file cannot be used.

    """
    tls = settings.tls
    if tls.client_certificates == "off":
        return None
    from tls.clients import ClientTrustStore  # noqa: PLC0415 - imports cryptography: 160 ms

    with refusing(ClientCAError, locs=CLIENT_FILES, subject=""):
        return ClientTrustStore(
            directory / str(tls.client_ca),
            directory / tls.client_crl if tls.client_crl else None,
            required=tls.client_certificates == "required",
        )


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
        try:
            ensure_development_certificate(certfile.parent, [host])
        except OSError as error:
            raise _cannot_be_made(certfile, error.strerror) from error
    facts = check_chain(certfile, keyfile, passphrase, host)
    if facts.development and not private:
        raise CertificateError(
            f"{certfile} is a development certificate, and {public_binds[0]} is reachable from "
            "other machines: name a certificate that they trust in certfile and keyfile, bind to "
            "127.0.0.1, or, for a trial, set [tls] allow_development_certificate = true"
        )
    return facts


def check_certificate_before_start(settings: Settings) -> None:
    """Check what `start_tls` will find, and make nothing.

    Raises:
        StartRefused: the certificate or its key could not be served.

    """
    server, tls = settings.server, settings.tls
    if not server.has_tls:
        return
    certfile, keyfile = Path(server.certfile or ""), Path(server.keyfile or "")
    private = not server.public_binds or tls.allow_development_certificate
    with refusing(CertificateError, locs=PAIR):
        if not (private and _is_development(certfile, keyfile)):
            ready_certificate(
                certfile,
                keyfile,
                passphrase=tls.passphrase,
                host=settings.plain_port.host,
                public_binds=server.public_binds,
                allow_development=tls.allow_development_certificate,
            )
        elif not is_writable(certfile.parent):
            raise _cannot_be_made(certfile, "the directory is not writable for this user")


def is_writable(directory: Path) -> bool:
    """Return whether this user can make files in a directory, which may have to be made first."""
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    return directory.is_dir() and os.access(directory, os.W_OK | os.X_OK)


def _cannot_be_made(certfile: Path, cause: str | None) -> CertificateError:
    return CertificateError(
        f"the development certificate {certfile} cannot be made: {cause}; name a directory that "
        "the service can write to, or a certificate of your own"
    )


def _is_development(certfile: Path, keyfile: Path) -> bool:
    """Whether these are the development files: missing, or made here already."""
    if (certfile.name, keyfile.name) != DEVELOPMENT_FILES or certfile.parent != keyfile.parent:
        return False
    return not certfile.exists() or inspect(certfile).development
