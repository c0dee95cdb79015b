"""The image, built and run: --image; it takes minutes, and root, buildah and debootstrap."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.certificates import make_certificate
from tests.deploy.image import Builder, Container
from tests.deploy.runtime_profile import PROFILE
from tests.deploy.units import ROOT
from tests.model.decoding.pdfs import chinese_pdf
from tests.model.processes import children_of
from tests.system.service import key_stanza

pytestmark = [pytest.mark.image, pytest.mark.timeout(1200)]
TEXT = "海风咖啡馆今日营业"
KEY, STANZA = key_stanza("aaaa1111", "someone")


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """The image, from the working tree."""
    programs = all(map(shutil.which, ("buildah", "debootstrap")))
    if os.geteuid() != 0 or not programs or not PROFILE.exists():
        pytest.skip("needs root, buildah with its profile, and debootstrap")
    directory = tmp_path_factory.mktemp("image")
    one = Builder(directory)
    one.build()
    yield one
    one.run("rm", "--all")
    one.run("rmi", "--all")
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def settings(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An operator's folder: root's, and the image's user reads it."""
    directory = tmp_path_factory.mktemp("settings")
    make_certificate(directory / "tls")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = (ROOT / "settings.toml").read_text("utf-8")
    for ours, theirs in (
        ('bind = ["127.0.0.1:8443"]', f'bind = ["0.0.0.0:{port}"]'),
        ('insecure_bind = ["127.0.0.1:8080"]', "insecure_bind = []"),
        ('"tls/local/certificate', '"/etc/sealed-ocr/tls/certificate'),
    ):
        assert ours in text
        text = text.replace(ours, theirs)
    (directory / "settings.toml").write_text(text, encoding="utf-8")
    (directory / "settings.local.toml").write_text(STANZA, encoding="utf-8")
    group = builder.configuration()["User"].partition(":")[2]
    subprocess.run(["chown", "-R", f"0:{group}", directory], check=True)
    subprocess.run(["chmod", "-R", "u=rwX,g=rX,o=", directory], check=True)
    return directory


@pytest.fixture(scope="module")
def container(
    builder: Builder, settings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    """The service, as process 1 of a container without a shell or a place to write."""
    one = Container(builder, tmp_path_factory.mktemp("container"), settings)
    one.start()
    yield one
    one.stop()


def _ask(container: Container, settings: Path, file: Path) -> str:
    """Have curl read a file over HTTP/2."""
    line = next(line for line in container.log if "Running on" in line)
    port = line.rpartition(":")[2].split()[0]
    authority = settings / "tls-authority" / "ca.pem"
    command = ["curl", "--http2", "--fail", "--silent", "--show-error", "--cacert"]
    command += [
        str(authority),
        "-H",
        f"X-API-Key: {KEY}",
        "-H",
        "Accept: text/plain",
        "-F",
        f"file=@{file}",
    ]
    command += ["-w", "HTTP/%{http_version}", f"https://localhost:{port}/ocr"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_is_in_it(builder: Builder, container: Container) -> None:
    """A numbered user, the product alone: no installer, test, key or certificate."""
    configuration = builder.configuration()
    assert configuration["User"] == "10001:10001"
    assert configuration["Healthcheck"]["Test"][0] == "CMD"
    assert configuration["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    product = container.root / "opt" / "sealed-ocr"
    top = {entry.name for entry in product.iterdir()}
    assert top >= {"app.py", "handlers", "model", "tls", ".venv"}
    assert not top & {"tests", "bench", "deploy", "docs", ".git", "settings.toml", "wheels"}
    assert not (product / "model" / "training").exists()
    ours = [path for path in product.rglob("*") if ".venv" not in path.parts]
    assert [path for path in ours if path.suffix in {".pem", ".key"}] == []
    assert list(product.glob(".venv/lib/python3*/site-packages/pip")) == []


def test_it_reads(container: Container, settings: Path, tmp_path: Path) -> None:
    """An image and a PDF in the image's own font, over HTTP/2, with nothing writable."""
    receipt = _ask(container, settings, ROOT / "examples" / "receipt.png")
    assert "HARBOUR CAFE" in receipt
    assert receipt.endswith("HTTP/2")
    file = tmp_path / "page.pdf"
    file.write_bytes(chinese_pdf(TEXT))
    assert TEXT in _ask(container, settings, file)
    assert not any("Read-only" in line or "Traceback" in line for line in container.log)


def test_nothing_can_be_written_and_no_shell_started(container: Container) -> None:
    """The root is read-only and the shells are gone, for the tests above, too."""
    python = "/opt/sealed-ocr/.venv/bin/python"
    for attempt, error in (
        ("open('/tmp/x', 'w')", "Read-only file system"),
        ("open('/opt/sealed-ocr/x', 'w')", "Read-only file system"),
        ("import os; os.execv('/bin/sh', ['sh'])", "PermissionError"),
        ("import os; os.setuid(0)", "PermissionError"),
    ):
        assert error in container.run(python, "-c", attempt).stderr


def test_it_is_healthy(container: Container) -> None:
    """The check of the image says so, and does not where the settings cannot be read."""
    check = container.configuration["Healthcheck"]["Test"][1:]
    done = container.run(*check)
    assert (done.returncode, done.stderr) == (0, "")
    elsewhere = "import sys, runpy, os; os.environ['OCR_SETTINGS'] = '/nowhere'; "
    elsewhere += f"sys.argv = {check[1:]!r}; runpy.run_path({check[1]!r}, run_name='__main__')"
    assert container.run(check[0], "-c", elsewhere).returncode == 1


def test_process_1_leaves_no_zombies(container: Container, settings: Path) -> None:
    """Decoders that have ended are collected; the last signal ends it in good order."""
    for _ in range(3):
        _ask(container, settings, ROOT / "examples" / "receipt.png")
    family = [container.first]
    for pid in family:
        family += children_of(pid)
    states = [Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2][0] for pid in family]
    assert len(family) > 2
    assert "Seccomp_filters:\t1\n" in Path(f"/proc/{family[0]}/status").read_text("ascii")
    assert "Z" not in states


def test_sigterm_ends_process_1(builder: Builder, settings: Path, tmp_path: Path) -> None:
    """What a runtime sends at `stop` ends it at once, with status 0, though it is process 1."""
    (tmp_path / "folder").mkdir()
    changed = tmp_path / "folder" / "settings"
    shutil.copytree(settings, changed)
    text = (changed / "settings.toml").read_text("utf-8")
    start = text.index("bind = [")
    (changed / "settings.toml").write_text(
        text[:start] + 'bind = ["0.0.0.0:0"]' + text[text.index("\n", start) :], encoding="utf-8"
    )
    subprocess.run(["chown", "-R", "0:10001", changed], check=True)
    one = Container(builder, tmp_path, changed)
    one.start()
    assert one.stop() == 0
