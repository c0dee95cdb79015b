"""The operator's commands: serve, install, bundle, and those of the README."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from bench.processes import free_ports
from tests.handlers.pdf.extractors import pdfium
from tests.system.service import ROOT, copy_project, key_stanza

PYTHON = sys.executable
PATIENCE_S = 600
SIZE_MB = 380  # of an installed service; docs/decisions/0018-install-size.md


def bare(home: Path, path: str | None = None) -> dict[str, str]:
    """Return an environment with nothing in it but PATH and HOME."""
    return {"PATH": path or os.environ["PATH"], "HOME": str(home)}


def on_free_ports(root: Path) -> Path:
    """Let a copy of the project serve on free ports."""
    settings = root / "settings.toml"
    text = settings.read_text("utf-8")
    for shipped, free in zip(("8443", "8080"), free_ports(2), strict=True):
        text = text.replace(f':{shipped}"', f':{free}"')
    settings.write_text(text, encoding="utf-8")
    return root


def launch(root: Path, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run what scripts/serve runs once everything is installed."""
    return subprocess.run(
        [PYTHON, root / "scripts" / "launch.py", "--once"],
        env=bare(home) | more,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_serve_reads_its_own_receipt(tmp_path: Path) -> None:
    """The self-check prints text, protocol and time; what it made is private.

    No curl line is offered for a service that has ended.
    """
    root = on_free_ports(copy_project(tmp_path / "project"))
    done = launch(root, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "18.95" in done.stdout
    assert re.search(r"over HTTP/2 and TLS in \d+ ms", done.stdout)
    assert "curl" not in done.stdout
    for private in (".dev/key", "tls/local/ca.key", "tls/local/certificate.key"):
        assert (root / private).stat().st_mode & 0o777 == 0o600
    assert (root / "tls" / "local").stat().st_mode & 0o777 == 0o700
    assert (root / ".dev" / "key").read_text().strip() not in done.stdout + done.stderr


def test_a_failed_self_check_is_seen(tmp_path: Path) -> None:
    """A service that misreads the receipt ends with a failure."""
    root = on_free_ports(copy_project(tmp_path / "project"))
    Image.new("RGB", (640, 860), "white").save(root / "examples" / "receipt.png")
    done = launch(root, tmp_path)
    assert done.returncode != 0
    assert "self-check failed" in done.stderr


def test_a_service_that_does_not_start_is_seen(tmp_path: Path) -> None:
    """A mistake in settings.toml is shown, and the status passed on."""
    root = on_free_ports(copy_project(tmp_path / "project"))
    with (root / "settings.toml").open("a", encoding="utf-8") as file:
        file.write("[nonsense]\n")
    done = launch(root, tmp_path)
    assert done.returncode != 0
    assert "[nonsense]" in done.stderr


@pytest.mark.parametrize(
    ("wrong", "named"),
    [("max_pixels = 5e7,", "not valid TOML"), ('bind = ["127.0.0.1:443x"]', "bind")],
)
def test_invalid_settings_are_named_before_hypercorn_reads_them(
    tmp_path: Path, wrong: str, named: str
) -> None:
    """scripts/serve checks the file before Hypercorn, which would show a traceback."""
    root = copy_project(tmp_path / "project")
    text = (root / "settings.toml").read_text("utf-8")
    key = wrong.partition(" =")[0]
    (root / "settings.toml").write_text(
        re.sub(rf"(?m)^{key} = .*$", wrong, text, count=1), encoding="utf-8"
    )
    done = launch(root, tmp_path)
    assert done.returncode == 1
    assert "settings.toml" in done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_with_own_keys_the_self_check_uses_the_given_one(tmp_path: Path) -> None:
    """With [[keys]] only /readyz is requested; with SEALED_OCR_KEY the receipt is read."""
    root = on_free_ports(copy_project(tmp_path / "project"))
    key, stanza = key_stanza("aaaa1111", "someone")
    (root / "settings.local.toml").write_text(stanza, encoding="utf-8")
    done = launch(root, tmp_path, OCR_PLAIN_PORT__PUBLIC_ORIGIN="https://localhost:1")
    assert done.returncode == 0, done.stderr
    assert '"event": "public_origin_port"' in done.stdout
    assert "public_origin" not in done.stderr
    assert "Ready over HTTP/2 and TLS, nothing read" in done.stdout
    done = launch(root, tmp_path, SEALED_OCR_KEY=key)
    assert done.returncode == 0, done.stderr
    assert "18.95" in done.stdout


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """Where another program has the port, it is named, with the settings that choose it."""
    root = on_free_ports(copy_project(tmp_path / "project"))
    text = (root / "settings.toml").read_text("utf-8")
    port = int(re.findall(r'^bind = \["127.0.0.1:(\d+)"\]', text, re.MULTILINE)[0])
    with socket.create_server(("127.0.0.1", port)):
        done = launch(root, tmp_path)
    assert done.returncode != 0
    assert f"127.0.0.1:{port}: in use by process" in done.stderr
    assert "Traceback" not in done.stderr


def blocks(page: str, language: str) -> list[str]:
    """Return a page's code of one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)


def test_ci_runs_the_second_command() -> None:
    """The README's second command is the one that runs this test in CI."""
    assert blocks("README.md", "sh")[1].strip() == "scripts/test"
    assert "\nscripts/test " in (ROOT / ".ci" / "run").read_text()


def opened_in_a_browser() -> list[str]:
    """Return a command that gets the address that the README says to open in a browser."""
    [address] = re.findall(r"In a browser: open `(.*?)`", (ROOT / "README.md").read_text("utf-8"))
    return ["curl", "--fail-with-body", "-sS", "--cacert", "tls/local/ca.pem", address]


@pytest.mark.fresh
@pytest.mark.timeout(PATIENCE_S)
def test_the_readme_on_a_fresh_machine(tmp_path: Path) -> None:
    """The first command, the address of the page, curl and Python, as copied.

    The environment is empty. The first curl command makes a searchable PDF, the second prints JSON.
    """
    root = copy_project(tmp_path / "project")
    first, _, curl, *_ = blocks("README.md", "sh")
    install = next(block for block in blocks("docs/api.md", "sh") if "httpx2" in block)
    python = blocks("docs/api.md", "python")[0]
    said: list[str] = []
    serving = subprocess.Popen(
        ["sh", "-c", f"exec {first}"], cwd=root, env=bare(tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    ready = threading.Event()

    def follow() -> None:
        for line in serving.stdout or ():
            said.append(line)
            if line.startswith("curl --http2"):
                ready.set()
        ready.set()

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        assert serving.poll() is None, "".join(said)
        subprocess.run(["sh", "-c", install], cwd=root, env=bare(tmp_path), check=True)
        page = opened_in_a_browser()
        for command in (["sh", "-c", curl], ["client/bin/python", "-c", python], page):
            done = subprocess.run(
                command, cwd=root, env=bare(tmp_path), capture_output=True, text=True, check=True
            )
            assert ("<title>Sealed OCR" if command is page else "18.95") in done.stdout
        assert "18.95" in "\n".join(pdfium((root / "receipt.pdf").read_bytes()))
    finally:
        serving.send_signal(signal.SIGTERM)
        status = serving.wait(60)
        thread.join(60)
        assert serving.stdout is not None
        serving.stdout.close()
    assert status == 0
    output = "".join(said)
    size_mb = int(re.findall(r"Installed in \d+ s: \.venv has (\d+) MB", output)[0])
    assert size_mb < SIZE_MB
    assert not list((root / ".venv").glob("lib/*/site-packages/pip*"))


@pytest.mark.fresh
@pytest.mark.timeout(PATIENCE_S)
def test_a_bundle_installs_without_a_network(tmp_path: Path) -> None:
    """What scripts/bundle makes serves on a machine with no network but loopback."""
    root = on_free_ports(copy_project(tmp_path / "project"))
    subprocess.run(
        [root / "scripts" / "bundle"], env=bare(tmp_path), check=True, timeout=PATIENCE_S
    )
    target = shutil.move(root / "bundle" / "sealed-ocr", tmp_path / "offline")
    alone = ["unshare", "--net", "--map-root-user", "sh", "-c"]
    if subprocess.run([*alone, "ip link set lo up"], check=False).returncode:
        pytest.skip("this machine makes no network namespaces")
    done = subprocess.run(
        [*alone, "ip link set lo up; exec scripts/serve --once"],
        cwd=target, env=bare(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "18.95" in done.stdout
