"""The certificate the service starts with: made for development, checked for everything else."""

from collections.abc import Sequence
from pathlib import Path

from tls.certificates import CertificateError, CertificateFacts, inspect
from tls.chain import check_chain
from tls.development import ensure_development_certificate

DEVELOPMENT_FILES = ("certificate.pem", "certificate.key")


def certificate_in_force(
    certfile: Path,
    keyfile: Path,
    *,
    passphrase: str | None,
    host: str,
    public_binds: Sequence[str],
    allow_development: bool,
) -> CertificateFacts:
    """Return what is known of the configured certificate, made first where that is allowed.

    A development certificate, for localhost and `host`, is made or renewed only where other
    machines cannot reach the service: elsewhere a missing file is a mistake, not a wish.

    Raises:
        CertificateError: a file is missing or unreadable, key and certificate do not match, a
            certificate of the chain has expired or is out of order, the first is not for `host`,
            or a development certificate would face other machines.

    """
    private = not public_binds or allow_development
    if private and _is_made_here(certfile, keyfile):
        ensure_development_certificate(certfile.parent, [host])
    facts = check_chain(certfile, keyfile, passphrase, host)
    if facts.development and not private:
        raise CertificateError(
            f"{certfile} is a development certificate, and {public_binds[0]} is reachable from "
            "other machines: name a certificate of theirs in certfile and keyfile, bind to "
            "127.0.0.1, or, for a trial, set [tls] allow_development_certificate = true"
        )
    return facts


def _is_made_here(certfile: Path, keyfile: Path) -> bool:
    """Whether these are the development files: missing, or ours already."""
    if (certfile.name, keyfile.name) != DEVELOPMENT_FILES or certfile.parent != keyfile.parent:
        return False
    return not certfile.exists() or inspect(certfile).development
