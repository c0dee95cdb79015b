"""The service, and redis, on hosts of a lab: what they share, and one of each."""

import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx2
import redis as redis_client

from bench.lab import Host, Lab
from tests.authorities import Authority
from tests.system.service import PATIENCE_S, Service, key_stanza

PORT = 8443
REDIS_PORT = 6379
MANY = "1000000/minute"  # a limit that nothing reaches
AMPLE = f'limits = {{ "*" = "{MANY}", "/ocr" = "{MANY}" }}'
LIMITS = f'[limits]\nper_address = "{MANY}"\n'
CA = "ca.pem"


class Site:
    """What the services of a lab share: a CA, and the key that callers have.

    Attributes:
        authority: issues the certificates of services and redis.
        ca: its certificate, which clients trust.
        key: a key with limits that nothing reaches; of no use where `local` has `[[keys]]`.
        local: settings.local.toml of every service.

    """

    def __init__(self, lab: Lab, *, local: str = "") -> None:
        self.lab, self.authority = lab, Authority("Lab CA")
        self.ca = lab.directory / CA
        self.ca.write_bytes(self.authority.pem)
        self.key, stanza = key_stanza("lab00001", "lab", AMPLE)
        self.local = local or LIMITS
        if "[[keys]]" not in self.local:
            self.local += stanza

    def certificate(self, host: Host) -> tuple[Path, Path]:
        """Issue a certificate for a host's address; return its file and its key's."""
        issued = self.authority.issue(host.name, names=[host.address, "localhost"])
        return issued.write(self.lab.directory / "tls", host.name)

    def service(
        self,
        host: Host,
        *,
        redis: "Redis | str | None" = None,
        local: str | None = None,
        server: Mapping[str, str | None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "LabService":
        """Return the service on a host, to be used as a context manager, which waits until ready.

        `local` replaces the site's; `server` are other top-level keys; `environment` has settings
        that go over all others (`OCR_ENGINE__WARM`). A host can have one service after another.
        """
        variables = dict(environment or {})
        if isinstance(redis, Redis):
            variables |= redis.settings
        elif redis is not None:
            variables["OCR_LIMITS__STORAGE"] = redis
        local = self.local if local is None else local
        return LabService(self, host, local, server, variables)

    def redis(self, host: Host, *, tls: bool = False) -> "Redis":
        """Return redis on a host, to be used as a context manager; `tls`: it accepts nothing else.

        Raises:
            FileNotFoundError: redis-server is not installed.

        """
        return Redis(self, host, tls=tls)

    def trust(self) -> ssl.SSLContext:
        """Return a context that trusts the site's CA alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        return context


class LabService(Service):
    """The service on a host: its `log` grows, `process` takes signals, `stop` waits for its end."""

    def __init__(
        self,
        site: Site,
        host: Host,
        local: str,
        server: Mapping[str, str | None] | None,
        environment: dict[str, str],
    ) -> None:
        self.site, self.host = site, host
        certfile, keyfile = site.certificate(host)
        keys: dict[str, str | None] = {
            "bind": f'["{host.address}:{PORT}"]',
            "insecure_bind": "[]",
            "public_origin": f'"https://{host.address}:{PORT}"',
            "certfile": f'"{certfile}"',
            "keyfile": f'"{keyfile}"',
        }
        folder = _fresh(site.lab.directory, host.name)
        super().__init__(
            folder,
            local=local,
            server={**keys, **(server or {})},
            environment=environment,
            launcher=host.launcher,
        )

    @property
    def key(self) -> str:
        """The site's key."""
        return self.site.key

    @property
    def authority(self) -> Path:
        """The certificate of the site's CA."""
        return self.site.ca

    @property
    def url(self) -> str:
        """Where HTTPS is served."""
        return f"https://{self.host.address}:{PORT}"

    def wait_until_ready(self) -> None:
        """Wait until `/readyz` is green, for instance after its host has joined again."""
        due = time.monotonic() + PATIENCE_S
        with httpx2.Client(verify=self.trust(), base_url=self.url, timeout=2) as client:
            while time.monotonic() < due:
                try:
                    if client.get("/readyz").is_success:
                        return
                except httpx2.TransportError:
                    pass
                time.sleep(0.02)
        raise AssertionError("the service is not ready:\n" + "\n".join(self.log))


class Redis:
    """redis on a host, with a password, without persistence.

    Attributes:
        storage: what `[limits] storage` names, with the password.
        settings: the settings of a service that counts in it, as environment variables.
        password: of its only user.
        host: where it runs; `host.kill()` ends it without a word, `start` starts it again.

    """

    def __init__(self, site: Site, host: Host, *, tls: bool) -> None:
        self.site, self.host, self._tls = site, host, tls
        self.password = "lab-redis"  # noqa: S105 - of a redis that lives as long as the bench
        scheme = "async+rediss" if tls else "async+redis"
        self.storage = f"{scheme}://:{self.password}@{host.address}:{REDIS_PORT}"
        self.settings = {"OCR_LIMITS__STORAGE": self.storage}
        if tls:
            self.settings["OCR_LIMITS__STORAGE_CA"] = f"{site.ca}"
        self.process: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        """Start it, and wait until it responds."""
        arguments = ["--bind", self.host.address, "--save", "", "--requirepass", self.password]
        if self._tls:
            certfile, keyfile = self.site.certificate(self.host)
            arguments += ["--port", "0", "--tls-port", f"{REDIS_PORT}", "--tls-auth-clients", "no"]
            arguments += ["--tls-cert-file", f"{certfile}", "--tls-key-file", f"{keyfile}"]
            arguments += ["--tls-ca-cert-file", f"{self.site.ca}"]
        else:
            arguments += ["--port", f"{REDIS_PORT}"]
        self.process = self.host.popen(
            ["redis-server", *arguments],
            cwd=_fresh(self.site.lab.directory, self.host.name),
            stdout=subprocess.DEVNULL,
        )
        due = time.monotonic() + PATIENCE_S
        with self.client() as client:
            while True:
                try:
                    client.ping()
                except redis_client.ConnectionError:
                    if time.monotonic() > due or self.process.poll() is not None:
                        raise
                    time.sleep(0.02)
                else:
                    return

    def client(self) -> redis_client.Redis:
        """Return a client of it."""
        trust = {"ssl_ca_certs": f"{self.site.ca}"} if self._tls else {}
        url = self.storage.removeprefix("async+")
        return redis_client.Redis.from_url(url, socket_timeout=5, **trust)

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _fresh(directory: Path, name: str) -> Path:
    """Return a new folder for a program on a host."""
    for number in range(1000):
        folder = directory / f"{name}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{directory} has 1,000 folders of {name}")
