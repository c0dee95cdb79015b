"""A CA's files for nginx: server and client certificates, a revocation list."""

import ssl
from pathlib import Path

from cryptography import x509

from tests import authorities
from tests.authorities import CLIENT, SERVER, Issued


class Authority:
    """A root that signs everything directly; its files lie in `folder`.

    `ocsp` is where its certificate for localhost says that its state can be asked.
    """

    def __init__(self, folder: Path, *, ocsp: str | None = None) -> None:
        folder.mkdir(parents=True)
        self.folder, self._ocsp = folder, ocsp
        self._root = authorities.Authority(f"Tests {folder.name}")
        self._issued: dict[str, Issued] = {}
        self._write("ca.pem", self._root.pem)
        self._write("ca.key", self._root.key_pem())
        self._write("clients.pem", self._root.pem)
        self.server = self.issue("localhost", server=True)
        # With its issuer behind it, as an ACME client writes it.
        chain = (folder / "localhost.pem").read_bytes() + (folder / "ca.pem").read_bytes()
        self._write("fullchain.pem", chain)
        (folder / "localhost.key").rename(folder / "privkey.pem")
        self.revoke()

    def issue(self, name: str, *, server: bool = False) -> x509.Certificate:
        """Make `name`.pem and `name`.key, for a client or a server."""
        if server:
            issued = self._root.issue(
                name, names=["localhost", "ocr.test"], usage=SERVER, ocsp=self._ocsp
            )
        else:
            issued = self._root.issue(name, usage=CLIENT)
        self._issued[name] = issued
        self._write(f"{name}.pem", issued.pem)
        self._write(f"{name}.key", issued.key_pem())
        return issued.certificate

    def revoke(self, *names: str) -> None:
        """Write a revocation list with these certificates."""
        revoked = [self._issued[name] for name in names]
        self._write("clients.crl", self._root.revocation_list(*revoked))

    def trust(self, certificate: str | None = None) -> ssl.SSLContext:
        """Return what trusts this authority alone, and shows one of its certificates."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.folder / "ca.pem")
        if certificate is not None:
            files = (self.folder / f"{certificate}.pem", self.folder / f"{certificate}.key")
            context.load_cert_chain(*files)
        return context

    def _write(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)
