"""The files of TLS to a redis, checked at the start."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.start_refused import StartRefused
from settings import Limits


@dataclass(frozen=True, slots=True)
class StorageTls:
    """The files of TLS to a redis; None: the system's CAs, no client certificate."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def options(self) -> dict[str, Any]:
        """Return redis-py's options for them."""
        files = {"ca_certs": self.ca, "certfile": self.certificate, "keyfile": self.key}
        return {f"ssl_{name}": file for name, file in files.items()}


class StorageError(StartRefused):
    """The storage cannot be used; the message does not show its URL, since it has a password."""

    def __init__(self, message: str, *keys: str) -> None:
        super().__init__(message)
        self.locs = tuple(("limits", key) for key in keys or ("storage",))


def tls_files(limits: Limits, directory: Path) -> StorageTls:
    """Return the files, loaded once: a mistake is found at the start, not by the first request.

    Raises:
        StorageError: a file cannot be read, or is not what it should be.

    """
    tls = StorageTls(
        *(
            _readable(name, getattr(limits, name), directory)
            for name in ("storage_ca", "storage_certfile", "storage_keyfile")
        )
    )
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except ssl.SSLError:
        raise StorageError(f"{tls.ca} has no CA certificate in PEM", "storage_ca") from None
    if tls.certificate is not None:
        try:
            context.load_cert_chain(tls.certificate, tls.key, password="")
        except (ssl.SSLError, ValueError):
            raise StorageError(
                f"{tls.certificate} and {tls.key} are not a certificate and its key in PEM, "
                "without a passphrase",
                "storage_certfile",
                "storage_keyfile",
            ) from None
    return tls


def _readable(name: str, path: str | None, directory: Path) -> str | None:
    """Return the path of a file of the setting `name`.

    Raises:
        StorageError: it cannot be read.

    """
    if path is None:
        return None
    file = directory / path
    if not os.access(file, os.R_OK):
        raise StorageError(f"{file} cannot be read by this user", name)
    return str(file)
