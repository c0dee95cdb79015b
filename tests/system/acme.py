"""An ACME certificate authority (pebble) and certbot, both on loopback."""

import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx2

from bench.processes import free_port, free_ports
from tests.system.service import PATIENCE_S
from tls.development import ensure_development_certificate

NAME = "ocr.test"
QUICK = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}


class Authority:
    """pebble, with a name server that says every name is this machine; open within `with`.

    It asks for challenges at `challenge_port`, where Let's Encrypt asks at port 80.
    """

    def __init__(self, directory: Path, challenge_port: int) -> None:
        directory.mkdir()
        self._directory = directory
        self._challenge_port = challenge_port
        # Its own HTTPS has a certificate of an authority of its own, which certbot is told of.
        self.pair = ensure_development_certificate(directory / "own")
        self.port, self._management, self._dns, self._dns_management = free_ports(4)
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._start([
                "pebble-challtestsrv", "-dns01", f"127.0.0.1:{self._dns}", "-http01", "",
                "-https01", "", "-tlsalpn01", "", "-defaultIPv6", "",
                "-management", f"127.0.0.1:{self._dns_management}",
            ])  # fmt: skip
            self._start(["pebble", "-config", str(self._config()),
                         "-dnsserver", f"127.0.0.1:{self._dns}"])  # fmt: skip
            for port in (self._dns_management, self._management, self.port):
                self._wait(port)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def url(self) -> str:
        """The value of certbot's --server."""
        return f"https://localhost:{self.port}/dir"

    def trust(self) -> ssl.SSLContext:
        """Return a context that trusts nothing but this authority's root."""
        own = ssl.create_default_context(cafile=str(self.pair.ca))
        root = httpx2.get(f"https://localhost:{self._management}/roots/0", verify=own).text
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=root)
        return context

    def _config(self) -> Path:
        file = self._directory / "pebble.json"
        settings = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(self.pair.certificate),
            "privateKey": str(self.pair.key),
            "httpPort": self._challenge_port,
            "tlsPort": free_port(),
        }
        file.write_text(json.dumps({"pebble": settings}), "utf-8")
        return file

    def _start(self, command: Sequence[str]) -> None:
        with (self._directory / f"{command[0]}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(
                    command, env={**os.environ, **QUICK}, stdout=log, stderr=subprocess.STDOUT
                )
            )

    def _wait(self, port: int) -> None:
        due = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                ended = any(process.poll() is not None for process in self._processes)
                if ended or time.monotonic() > due:
                    logs = (file.read_text("utf-8") for file in self._directory.glob("*.log"))
                    raise AssertionError("\n".join(logs)) from None
                time.sleep(0.01)
            else:
                return

    def _stop(self) -> None:
        for process in self._processes:
            process.terminate()
            process.wait(PATIENCE_S)


class Certbot:
    """certbot with its own folders and one CA."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.lineage = directory / "config" / "live" / NAME
        self._authority = authority
        self._folders = [f"--{kind}-dir={directory / kind}" for kind in ("config", "work", "logs")]

    def run(self, *arguments: str) -> str:
        """Run a command of certbot's; return what it said. Raises AssertionError if it failed."""
        # A lock of its own lies in TMPDIR; HOME may hold an operator's settings for it.
        done = subprocess.run(
            ["certbot", *arguments, *self._folders, "-n", "--server", self._authority.url],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.lineage.parents[2]),
                "REQUESTS_CA_BUNDLE": str(self._authority.pair.ca),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout
