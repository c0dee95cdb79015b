"""Starts the service, and nginx in front of it, on loopback; bench/peers.py starts the others."""

import contextlib
import hashlib
import http.client
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.processes import free_port, stop, wait_until_listening
from middleware.key_format import new_key

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 120
MANY = "100000/minute"
AMPLE = {"*": MANY, "/ocr": MANY}  # a key's limits, which no bench reaches

LOCAL = """
[limits]
per_address = "{many}"
[model]
recogniser = "{recogniser}"
"""

KEY = """
[[keys]]
id = "{id}"
name = "{id}"
sha256 = "{digest}"
scopes = ["ocr"]
limits = {limits}
"""

NGINX = """
daemon off;
user {user};
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 5m;
    client_body_buffer_size 5m;  # in memory, as ours
    upstream service {{ server 127.0.0.1:{upstream_port}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {certificates}/certificate.pem;
        ssl_certificate_key {certificates}/certificate.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        location / {{
            proxy_pass {scheme}://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host localhost;
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate {certificates}/ca.pem;
            proxy_ssl_name localhost;
            proxy_ssl_server_name on;
            proxy_ssl_protocols TLSv1.3;
        }}
    }}
}}
"""


@dataclass
class Server:
    """A running server and how to ask it. As a context manager it ends what it started."""

    process: subprocess.Popen[bytes]
    port: int
    directory: tempfile.TemporaryDirectory[str]
    http2: bool = True
    ca: str = ""
    part: str = "image"
    keys: tuple[str, ...] = ()
    plain_port: int = 0
    thin: bool = False

    @property
    def job(self) -> dict[str, object]:
        """What bench/load.py must know."""
        scheme = "https" if self.ca else "http"
        return {
            "url": f"{scheme}://localhost:{self.port}",
            "ca": self.ca,
            "http2": self.http2,
            "headers": {"X-API-Key": self.keys[0]} if self.keys else {},
            "part": self.part,
        }

    def ended_mb(self) -> float:
        """Return the peak memory of its processes that have ended; only a thin server has such."""
        if not self.thin:
            return 0.0
        connection = http.client.HTTPConnection("localhost", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            return float(connection.getresponse().read())

    def wait(self) -> None:
        """Wait until it listens. Raises NotListening."""
        wait_until_listening(self.process, self.port, PATIENCE_S)

    def __enter__(self) -> Self:
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.process)
        self.directory.cleanup()


Launch = Callable[[], Server]


def launch_ours(
    recogniser: str,
    *,
    app: str = "app:app",
    warm: bool = False,
    limits: Sequence[Mapping[str, str]] = (AMPLE,),
    variables: Mapping[str, str] | None = None,
    certify: Callable[[Path], None] | None = None,
    workers: int = 0,
    root: Path = ROOT,
) -> Server:
    """Start the service as shipped, but for ports, the recogniser, and a key for each of `limits`.

    `variables` are settings that go over all others, as the environment's do; `certify` puts a
    certificate, its key and ca.pem into a folder, where the development ones are not wanted;
    `root` has the service's code.
    """
    directory = tempfile.TemporaryDirectory(prefix="sealed-ocr-bench-")
    home = Path(directory.name)
    if certify is not None:
        (home / "tls").mkdir()
        certify(home / "tls")
    port, plain_port = free_port(), free_port()
    text = (root / "settings.toml").read_text("utf-8")
    for key, value in {
        "bind": f'["127.0.0.1:{port}"]',
        "insecure_bind": f'["127.0.0.1:{plain_port}"]',
        "certfile": f'"{home}/tls/certificate.pem"',
        "keyfile": f'"{home}/tls/certificate.key"',
        "warm": "true" if warm else "false",
        "workers": str(workers),
    }.items():
        text = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", text, count=1)
    (home / "settings.toml").write_text(text, "utf-8")
    local = LOCAL.format(many=MANY, recogniser=recogniser)
    tokens = []
    for number, each in enumerate(limits):
        name = f"bench{number:03}"
        tokens.append(new_key(name))
        digest = hashlib.sha256(tokens[-1].encode()).hexdigest()
        pairs = ", ".join(f'"{path}" = "{limit}"' for path, limit in each.items())
        local += KEY.format(id=name, limits=f"{{ {pairs} }}", digest=digest)
    (home / "settings.local.toml").write_text(local, "utf-8")
    hypercorn = Path(sys.executable).with_name("hypercorn")
    process = start(
        [hypercorn, "--config", home / "settings.toml", app],
        home,
        {
            "OCR_SETTINGS": str(home / "settings.toml"),
            "PYTHONPATH": str(root),
            **(variables or {}),
        },
        root,
    )
    return Server(
        process,
        port,
        directory,
        ca=str(home / "tls" / "ca.pem"),
        keys=tuple(tokens),
        plain_port=plain_port,
    )


def launch_nginx(before: Server, *, plain: bool) -> Server:
    """Start nginx before a running service: TLS to the client, `plain` or TLS to the service."""
    directory = tempfile.TemporaryDirectory(prefix="sealed-ocr-bench-")
    port, home = free_port(), Path(directory.name)
    configuration = NGINX.format(
        directory=home,
        user="root" if os.geteuid() == 0 else "nobody",
        port=port,
        certificates=Path(before.ca).parent,
        scheme="http" if plain else "https",
        upstream_port=before.plain_port if plain else before.port,
    )
    (home / "nginx.conf").write_text(configuration, "utf-8")
    process = start(["nginx", "-p", home, "-c", home / "nginx.conf", "-e", "stderr"], home, {})
    return Server(process, port, directory, ca=before.ca, keys=before.keys)


def start(
    command: Sequence[str | Path], home: Path, variables: Mapping[str, str], root: Path = ROOT
) -> subprocess.Popen[bytes]:
    """Start a server in the project, its output in a file, nothing of ours in its environment."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **variables}
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=root, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
