"""Which certificates are trusted: a given CA, the development CA, or the system's."""

import ipaddress
import os
import ssl
from pathlib import Path

import httpx2

from sealed_ocr_client.errors import UnusableOption


def is_loopback(url: str) -> bool:
    """Return whether a URL names this machine."""
    host = httpx2.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def checkout() -> Path | None:
    """Return the service's checkout, if the client runs from it (scripts/ocr)."""
    named = os.environ.get("SEALED_OCR_CHECKOUT")
    return Path(named) if named else None


def ca_file(url: str, ca: str | os.PathLike[str] | None) -> Path | None:
    """Return the CA's certificate; None for those of the system.

    The development CA of the checkout is for a service on this machine only.
    """
    if ca is None:
        ca = os.environ.get("SEALED_OCR_CA") or None
    if ca is not None:
        return Path(ca)
    root = checkout()
    development = root / "tls" / "local" / "ca.pem" if root else None
    if development is not None and is_loopback(url) and development.exists():
        return development
    return None


def trust_of(
    ca: Path | None,
    certificate: str | os.PathLike[str] | None,
    certificate_key: str | os.PathLike[str] | None,
) -> ssl.SSLContext | None:
    """Return a context that trusts `ca` alone and shows the client's `certificate`.

    Raises:
        UnusableOption: a file cannot be read, or holds no certificate.

    """
    if ca is None and certificate is None:
        return None
    try:
        trust = ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl.SSLError is one
        raise UnusableOption(f"{ca} is not a CA's certificate ({_reason(error)}).") from None
    if certificate is not None:
        try:
            trust.load_cert_chain(certificate, certificate_key)
        except OSError as error:
            raise UnusableOption(
                f"{certificate} is not a certificate with its key ({_reason(error)})."
            ) from None
    return trust


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
