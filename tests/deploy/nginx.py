"""nginx with deploy/nginx.conf, in front of the service on its Unix socket.

What is tested is the shipped file: paths, ports and the user are replaced in its text, each of
which must be there, and nothing else is.
"""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx2

from bench.processes import free_ports
from tests.deploy.nginx_certificates import Authority
from tests.system.service import PATIENCE_S, ROOT, Service, key_stanza

# Debian has it where only root's PATH leads.
PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
SHIPPED = ROOT / "deploy" / "nginx.conf"
CLIENTS = ("ssl_verify_client", "ssl_client_certificate", "ssl_crl")
"""The directives of client certificates, which are comments in the shipped file."""

# nginx makes all of these folders when it starts, whether it needs them or not.
_FOLDERS = "".join(
    f"    {name}_temp_path {{folder}}/temp/{name};\n"
    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)


class Nginx:
    """A running nginx; ends with its `with` block.

    `changes` are further replacements in the file, `uncomment` names directives that are comments
    there, `launcher` stands before the command.
    """

    def __init__(
        self,
        folder: Path,
        backend: Path,
        authority: Authority,
        *,
        changes: Mapping[str, str] | None = None,
        uncomment: tuple[str, ...] = (),
        launcher: Sequence[str] = (),
    ) -> None:
        self.launcher = launcher
        self.folder, self.authority = folder, authority
        self.port, self.plain_port = free_ports(2)
        (folder / "temp").mkdir(parents=True)
        (folder / "acme").mkdir()
        text = SHIPPED.read_text("utf-8")
        for name in uncomment:
            text = _replaced(text, f"#{name} ", f"{name} ")
        for old, new in {**self._places(backend), **(changes or {})}.items():
            text = _replaced(text, old, new)
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(text, "utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def _places(self, backend: Path) -> dict[str, str]:
        served = self.authority.folder
        return {
            "unix:/run/sealed-ocr/ocr.sock": f"unix:{backend}",
            "user www-data;": f"user {pwd.getpwuid(os.geteuid()).pw_name};",
            "pid /run/nginx.pid": f"pid {self.folder}/nginx.pid",
            "/var/log/nginx/": f"{self.folder}/",
            "/var/www/acme": f"{self.folder}/acme",
            "/etc/letsencrypt/live/ocr.example.org": str(served),
            "/etc/sealed-ocr/clients": f"{served}/clients",
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "listen [::]:443 ": f"listen [::1]:{self.port} ",
            "listen 80 ": f"listen 127.0.0.1:{self.plain_port} ",
            "listen [::]:80 ": f"listen [::1]:{self.plain_port} ",
            "\nhttp {\n": "\nhttp {\n" + _FOLDERS.format(folder=self.folder),
        }

    def __enter__(self) -> Self:
        with (self.folder / "start.log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *self.launcher,
                    PROGRAM,
                    "-p",
                    self.folder,
                    "-c",
                    self._configuration,
                    "-g",
                    "daemon off;",
                ],
                stderr=log,
            )
        due = time.monotonic() + PATIENCE_S
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > due:
                raise AssertionError("nginx did not start:\n" + self.said)
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)

    def _listens(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def said(self) -> str:
        """What it has said on its way up."""
        return (self.folder / "start.log").read_text("utf-8")

    @property
    def url(self) -> str:
        """Where HTTPS is served."""
        return f"https://localhost:{self.port}"

    @property
    def plain_url(self) -> str:
        """Where plain HTTP is answered."""
        return f"http://localhost:{self.plain_port}"

    def client(
        self, key: str | None, *, http2: bool = True, certificate: str | None = None
    ) -> httpx2.Client:
        """Return a verifying client, with a key and a certificate of the authority's."""
        return httpx2.Client(
            http2=http2,
            http1=not http2,
            verify=self.authority.trust(certificate),
            base_url=self.url,
            headers={} if key is None else {"X-API-Key": key},
            timeout=PATIENCE_S,
        )


class Behind(Service):
    """The service on a Unix socket, without TLS of its own, and with a key, `token`.

    `proxy` are further lines of its table, `keys` further entries.
    """

    def __init__(
        self, folder: Path, *, local: str = "", proxy: str = "", keys: str = "", **named: object
    ) -> None:
        self.socket = folder / "ocr.sock"
        self.token, stanza = key_stanza("proxied1", "behind")
        limits = 'limits = { "*" = "10000/minute", "/ocr" = "10000/minute" }\n'
        super().__init__(
            folder,
            local=f"{PROXIED.format(proxy=proxy)}{local}\n{stanza}{limits}{keys}",
            server={
                "bind": f'["unix:{self.socket}"]',
                "insecure_bind": "[]",
                "certfile": None,
                "keyfile": None,
            },
            **named,  # type: ignore[arg-type]
        )


@dataclass(frozen=True, slots=True)
class Front:
    """A service and the nginx in front of it."""

    service: Behind
    nginx: Nginx

    def client(self, *, http2: bool = True) -> httpx2.Client:
        """Return a client of nginx's, with the service's key."""
        return self.nginx.client(self.service.token, http2=http2)


PROXIED = """
[proxy]
trusted = ["unix"]
{proxy}
[plain_port]
public_origin = "https://ocr.example.org"
[limits]
per_address = "100000/minute"
failed_authentications = "100000/minute"
"""


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"{SHIPPED.name} has no {old!r} any more"
    return text.replace(old, new)
