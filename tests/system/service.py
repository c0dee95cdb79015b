"""The real service in a separate process, with free ports and its own files."""

import hashlib
import os
import pty
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx2

from middleware.key_format import new_key
from tests.measuring import measuring

ROOT = Path(__file__).resolve().parents[2]
HYPERCORN = Path(sys.executable).with_name("hypercorn")
LISTENING = re.compile(r"Running on (https?)://\S*:(\d+|/\S+) ")
PATIENCE_S = 60


class Service:
    """Starts `hypercorn --config settings.toml app:app` on a copy of the shipped settings.

    `local` is the text of its settings.local.toml, `server` what top-level keys become (None: they
    are left out), `modules` are importable by it, `launcher` stands before the command, `terminal`
    is what it writes to. With `entry` it is started by `python -m service`, as in a container;
    `shipped` is another file than the shipped settings.
    Without `[[keys]]` in `local`, `self.key` is the development key.
    """

    def __init__(
        self,
        directory: Path,
        *,
        local: str = "",
        server: Mapping[str, str | None] | None = None,
        environment: dict[str, str] | None = None,
        arguments: tuple[str, ...] = (),
        modules: dict[str, str] | None = None,
        root: Path = ROOT,
        launcher: Sequence[str] = (),
        terminal: bool = False,
        entry: bool = False,
        shipped: Path | None = None,
    ) -> None:
        self.directory = directory
        self.settings = directory / "settings.toml"
        self._write_settings(shipped or root / "settings.toml", server or {}, local)
        for name, text in (modules or {}).items():
            (directory / name).write_text(text, encoding="utf-8")
        self.log: list[str] = []
        self.ports: dict[str, int] = {}
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "OCR_SETTINGS": str(self.settings),
            "PYTHONPATH": str(directory),
            **({} if launcher else measuring()),  # what strace records is the service's own
            **(environment or {}),
        }
        program = [sys.executable, "-m", "service"] if entry else [HYPERCORN]
        application = () if entry else ("app:app",)
        near, far = pty.openpty() if terminal else os.pipe()
        self._output = os.fdopen(near, encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [*launcher, *program, "--config", str(self.settings), *arguments, *application],
            cwd=root,
            env=variables,
            stdout=far,
            stderr=far,
        )
        os.close(far)
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _write_settings(self, shipped: Path, server: Mapping[str, str | None], local: str) -> None:
        text = shipped.read_text(encoding="utf-8")
        files = {
            "bind": '["127.0.0.1:0"]',
            "insecure_bind": '["127.0.0.1:0"]',
            "certfile": f'"{self.directory}/tls/certificate.pem"',
            "keyfile": f'"{self.directory}/tls/certificate.key"',
        }
        for key, value in {**files, **server}.items():
            line = "" if value is None else f"{key} = {value}"
            text, count = re.subn(rf"(?m)^{key} = .*$", line, text, count=1)
            if not count:
                text = f"{line}\n{text}"
        self.settings.write_text(text, encoding="utf-8")
        (self.directory / "settings.local.toml").write_text(local, encoding="utf-8")

    def _follow(self) -> None:
        with suppress(OSError):  # EIO: nothing has the terminal open any more
            for line in self._output:
                self.log.append(line.rstrip("\n"))
                found = LISTENING.search(line)
                if found:
                    self.ports.setdefault(found[1], int(found[2]) if found[2].isdecimal() else 0)

    def __enter__(self) -> Self:
        expected = 2 if "insecure_bind = []" not in self.settings.read_text("utf-8") else 1
        due = time.monotonic() + PATIENCE_S
        while len(self.ports) < expected:
            if self.process.poll() is not None or time.monotonic() > due:
                self._reader.join(5)
                raise AssertionError("the service did not start:\n" + "\n".join(self.log))
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Stop it with SIGTERM; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._drain()
        return status

    def refusal(self) -> tuple[int, str]:
        """Wait for a start that must fail; return the exit status and what was said."""
        status = self.process.wait(PATIENCE_S)
        self._drain()
        return status, "\n".join(self.log)

    def logged(self, text: str, *, after: int = 0) -> str:
        """Wait for a line of the log, beyond the first `after`, that holds `text`; return it.

        A request's is written after its answer is sent.
        """
        due = time.monotonic() + PATIENCE_S
        while time.monotonic() < due:
            for line in reversed(self.log[after:]):
                if text in line:
                    return line
            time.sleep(0.01)
        raise AssertionError(f"{text} was not logged")

    def _drain(self) -> None:
        self._reader.join(PATIENCE_S)
        self._output.close()

    @property
    def key(self) -> str:
        """The development key."""
        return (self.directory / ".dev" / "key").read_text("ascii").strip()

    @property
    def authority(self) -> Path:
        """The development CA's certificate."""
        return self.directory / "tls" / "ca.pem"

    @property
    def url(self) -> str:
        """Where HTTPS is served."""
        return f"https://localhost:{self.ports['https']}"

    @property
    def plain_url(self) -> str:
        """Where plain HTTP is answered."""
        return f"http://localhost:{self.ports['http']}"

    def trust(self) -> ssl.SSLContext:
        """Return a context that trusts the development CA alone, host names checked."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.authority)
        return context

    def client(
        self,
        *,
        key: str | None = "",
        http2: bool = True,
        certificate: tuple[Path, Path] | None = None,
    ) -> httpx2.Client:
        """Return a verifying client; with the development key unless another, or None, is given.

        `certificate` is what it shows: a certificate's file, and its key's.
        """
        headers = {} if key is None else {"X-API-Key": key or self.key}
        trust = self.trust()
        if certificate is not None:
            trust.load_cert_chain(*certificate)
        return httpx2.Client(
            http2=http2,
            http1=not http2,
            verify=trust,
            base_url=self.url,
            headers=headers,
            timeout=PATIENCE_S,
        )

    def async_client(self, *, key: str = "") -> httpx2.AsyncClient:
        """Return a verifying client that keeps to one HTTP/2 connection."""
        return httpx2.AsyncClient(
            http2=True,
            http1=False,
            verify=self.trust(),
            base_url=self.url,
            headers={"X-API-Key": key or self.key},
            timeout=PATIENCE_S,
            limits=httpx2.Limits(max_connections=1),
        )


def key_stanza(key_id: str, name: str, rest: str = "", scopes: str = '["ocr"]') -> tuple[str, str]:
    """Return a new key and the `[[keys]]` entry that knows it."""
    token = new_key(key_id)
    digest = hashlib.sha256(token.encode()).hexdigest()
    stanza = (
        f'[[keys]]\nid = "{key_id}"\nname = "{name}"\nsha256 = "{digest}"\n'
        f"scopes = {scopes}\n{rest}\n"
    )
    return token, stanza


def copy_project(target: Path) -> Path:
    """Copy the project's files, without what was made on this machine."""
    here = {".git", ".dev", "bundle", "wheels", "acme", "settings.local.toml"}
    made = shutil.ignore_patterns(
        "*.pem",
        "*.key",
        "__pycache__",
        ".*_cache",
        ".hypothesis",
        ".coverage*",
        ".venv*",
        "node_modules",
    )

    def ignore(folder: str, names: list[str]) -> set[str]:
        return made(folder, names) | (here & set(names) if Path(folder) == ROOT else set())

    return Path(shutil.copytree(ROOT, target, ignore=ignore))
