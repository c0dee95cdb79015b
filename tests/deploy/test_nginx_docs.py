"""What docs/production.md says of a proxy, done as it says."""

import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.service import PATIENCE_S, copy_project, key_stanza

PLACE = "/run/sealed-ocr/ocr.sock"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, with the settings for a proxy from docs/production.md."""
    root = copy_project(tmp_path / "project")
    section = (
        (root / "docs" / "production.md").read_text("utf-8").partition("## Behind a proxy\n")[2]
    )
    block = section.partition("```toml\n")[2].partition("```")[0]
    assert PLACE in block
    top, _, tables = block.replace(PLACE, str(tmp_path / "ocr.sock")).partition("[proxy]")
    settings = root / "settings.toml"
    text = re.sub(r"(?m)^(bind|insecure_bind|certfile|keyfile) = .*\n", "", settings.read_text())
    proxy, _, plain_port = tables.partition("[plain_port]\n")
    text = re.sub(r"(?m)^trusted = .*\n", proxy, text)
    text = re.sub(r"(?m)^public_origin = .*\n", plain_port, text)
    settings.write_text(top + text, encoding="utf-8")
    return root


def _serve(project: Path, key: str) -> subprocess.CompletedProcess[str]:
    """Run what scripts/serve runs once everything is installed."""
    return subprocess.run(
        [sys.executable, project / "scripts" / "launch.py", "--once"],
        env={"HOME": str(project), "SEALED_OCR_KEY": key},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_its_settings_serve(project: Path) -> None:
    """scripts/serve checks itself over the socket, which others than nginx's group can't open."""
    key, stanza = key_stanza("aaaa1111", "someone")
    (project / "settings.local.toml").write_text(stanza, "utf-8")
    done = _serve(project, key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"over HTTP/1.1 as a proxy would send it in \d+ ms", done.stdout)
    assert stat.S_IMODE((project.parent / "ocr.sock").stat().st_mode) == 0o770


def test_without_a_key_nothing_is_served(project: Path) -> None:
    """There is no development key behind a proxy."""
    done = _serve(project, "")
    assert done.returncode != 0
    assert "there are no [[keys]]" in done.stderr


def test_a_socket_in_use_is_not_taken_over(project: Path) -> None:
    """Hypercorn would remove the other's socket, and say nothing."""
    (project / "settings.local.toml").write_text(key_stanza("aaaa1111", "someone")[1], "utf-8")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(project.parent / "ocr.sock"))
        other.listen()
        done = _serve(project, "")
    assert done.returncode == 1
    assert "in use by process" in done.stderr
