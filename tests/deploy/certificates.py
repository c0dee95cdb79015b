"""A certificate of a private CA, as an operator would provide it."""

import shutil
from pathlib import Path

from tests.deploy.nginx_certificates import Authority


def make_certificate(directory: Path) -> Path:
    """Write a certificate and key for localhost; return the file of its authority."""
    authority = Authority(directory.with_name(f"{directory.name}-authority")).folder
    directory.mkdir()
    shutil.copy(authority / "fullchain.pem", directory / "certificate.pem")
    shutil.copy(authority / "privkey.pem", directory / "certificate.key")
    return authority / "ca.pem"
