"""The command in this process, a scripted server, and the real service."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from sealed_ocr_client import retries
from sealed_ocr_client.__main__ import main
from tests.client.scripted import Script, ScriptedServer
from tests.system.service import Service

MAX_PAGES = 3  # of the service: longer documents are divided


@dataclass
class Ran:
    """What a run of the command left."""

    status: int
    output: bytes
    errors: str


Run = Callable[..., Ran]
Serve = Callable[[Script], ScriptedServer]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's: no key, no CA, no checkout, no keyring."""
    for name in ("URL", "KEY", "KEY_FILE", "CA", "CHECKOUT", "PROGRAM"):
        monkeypatch.delenv(f"SEALED_OCR_{name}", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setattr(retries, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Return a function that runs the command, with a key."""

    def run_one(*arguments: str | Path, server: Service | ScriptedServer | None = None) -> Ran:
        more: Sequence[str | Path] = ()
        if isinstance(server, Service):
            key_file = server.directory / ".dev" / "key"
            more = ("--url", server.url, "--ca", server.authority, "--key-file", key_file)
        elif server is not None:
            more = ("--url", server.url, "--ca", server.ca)
        status = main([str(each) for each in (*arguments, *more)])
        output, errors = capfdbinary.readouterr()
        return Ran(status, output, errors.decode())

    return run_one


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Return a function that starts a scripted server, for which there is a key."""
    monkeypatch.setenv("SEALED_OCR_KEY", "ocr_key")
    with ExitStack() as servers:
        yield lambda script: servers.enter_context(ScriptedServer(tmp_path, script))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A file; what it holds is up to the server's script."""
    file = tmp_path / "scan.png"
    file.write_bytes(b"\x89PNG")
    return file


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, which reads MAX_PAGES pages per request."""
    local = f"[model]\nmax_pages = {MAX_PAGES}\n[engine]\nprocesses = 1\n"
    with Service(tmp_path_factory.mktemp("client"), local=local) as running:
        yield running


def page_image(text: str) -> Image.Image:
    """Return a small page with one line."""
    page = Image.new("RGB", (360, 90), "white")
    ImageDraw.Draw(page).text((20, 24), text, "black", ImageFont.load_default(32))
    return page


def png(text: str) -> bytes:
    """Return such a page as PNG."""
    stream = io.BytesIO()
    page_image(text).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="session")
def long_pdf() -> bytes:
    """A PDF of 7 pages, numbered 101 to 107."""
    pages = [page_image(f"Page {100 + number}") for number in range(1, 8)]
    stream = io.BytesIO()
    pages[0].save(stream, "PDF", save_all=True, append_images=pages[1:], resolution=100)
    return stream.getvalue()
