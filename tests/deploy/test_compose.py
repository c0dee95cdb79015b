"""compose.yaml: what it allows, and its three services started as it says, without a runtime."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.deploy.nginx import PROGRAM, Nginx
from tests.deploy.nginx_certificates import Authority
from tests.deploy.units import ROOT
from tests.system.service import HYPERCORN, key_stanza
from tests.test_layout import PACKAGES

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
SERVICES = sorted(COMPOSE["services"])
KEY, STANZA = key_stanza("aaaa1111", "someone")
PATIENCE_S = 60


def _tool(name: str) -> str:
    """Return a linter of .venv; its name alone where it is missing, which skips the test."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or name


def test_the_containerfile_is_clean(tmp_path: Path) -> None:
    """Hadolint has nothing to say; and has, of a careless line."""
    lint = _tool("hadolint")
    assert subprocess.run([lint, DEPLOY / "Containerfile"], check=False).returncode == 0
    careless = tmp_path / "Containerfile"
    careless.write_text(f"{CONTAINERFILE}RUN cd /tmp && sudo ls\n", encoding="utf-8")
    assert subprocess.run([lint, careless], check=False, stdout=subprocess.DEVNULL).returncode != 0


@pytest.mark.parametrize("package", PACKAGES)
def test_the_image_has_every_package(package: str) -> None:
    """Copied, compiled, and not ignored: they are named one by one, so that nothing else comes."""
    assert f"\nCOPY {package}/" in CONTAINERFILE
    assert package in CONTAINERFILE.partition("compileall")[2].partition("\n\n")[0].split()
    assert f"!{package}" in (ROOT / ".containerignore").read_text("utf-8").splitlines()


def test_the_compose_file_is_clean(tmp_path: Path) -> None:
    """compose-lint finds nothing that is grave; and does, in a careless service."""
    lint = _tool("compose-lint")
    assert subprocess.run([lint, DEPLOY / "compose.yaml"], check=False).returncode == 0
    careless = tmp_path / "compose.yaml"
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    careless.write_text(text.replace("network_mode: none", "privileged: true"), encoding="utf-8")
    assert subprocess.run([lint, careless], check=False).returncode != 0


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_without_privileges(name: str) -> None:
    """A numbered user, a read-only root, no capability, a bound on memory and processes."""
    service = COMPOSE["services"][name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit"} <= service.keys()
    assert not service.keys() & {"privileged", "cap_add", "devices", "pid", "ipc", "env_file"}


def test_only_nginx_has_a_network() -> None:
    """Nothing crosses one in clear: the others are reached over sockets in volumes."""
    modes = {name: COMPOSE["services"][name].get("network_mode") for name in SERVICES}
    assert modes == {"ocr": "none", "redis": "none", "nginx": None}


def test_files_agree() -> None:
    """What compose.yaml, the image, the settings and nginx name is one and the same."""
    settings = (DEPLOY / "settings.compose.toml").read_text("utf-8")
    ocr = COMPOSE["services"]["ocr"]
    assert f"USER {ocr['user']}" in CONTAINERFILE
    assert json.dumps(ocr["healthcheck"]["test"][1:]) in CONTAINERFILE
    assert "./settings:/etc/sealed-ocr:ro" in ocr["volumes"]
    assert "OCR_SETTINGS=/etc/sealed-ocr/settings.toml" in CONTAINERFILE
    assert "/run/redis/redis.sock" in COMPOSE["services"]["redis"]["command"]
    assert "async+redis+unix:///run/redis/redis.sock" in settings
    assert "unix:/run/sealed-ocr/ocr.sock" in settings
    assert "unix:/run/sealed-ocr/ocr.sock" in (DEPLOY / "nginx.conf").read_text("utf-8")
    assert (ROOT / ".dockerignore").read_bytes() == (ROOT / ".containerignore").read_bytes()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Path]:
    """Redis, started by the command of compose.yaml; its socket."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    here = [
        word.replace("/run/redis", str(tmp_path))
        for word in COMPOSE["services"]["redis"]["command"]
    ]
    with subprocess.Popen(here, stdout=subprocess.DEVNULL) as process:
        due = time.monotonic() + PATIENCE_S
        while not (tmp_path / "redis.sock").exists():
            assert process.poll() is None
            assert time.monotonic() < due
            time.sleep(0.01)
        yield tmp_path / "redis.sock"
        process.terminate()


@pytest.fixture
def service(tmp_path: Path, redis: Path) -> Iterator[Path]:
    """The service with settings.compose.toml; its settings."""
    text = (DEPLOY / "settings.compose.toml").read_text("utf-8")
    text = text.replace("/run/redis/redis.sock", str(redis))
    file = tmp_path / "settings.toml"
    file.write_text(text.replace("/run/sealed-ocr", str(tmp_path)), encoding="utf-8")
    (tmp_path / "settings.local.toml").write_text(STANZA, encoding="utf-8")
    command = [str(HYPERCORN), "--config", str(file), "app:app"]
    # A machine that stops for a moment is no failure of redis.
    patient = {"OCR_LIMITS__STORAGE_WAIT_S": "4"}
    variables = {"PATH": os.defpath, "OCR_SETTINGS": str(file), **patient}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL) as process:
        due = time.monotonic() + PATIENCE_S
        while not (tmp_path / "ocr.sock").exists():
            assert process.poll() is None
            assert time.monotonic() < due
            time.sleep(0.01)
        yield file
        process.terminate()


def _healthy(settings: Path) -> bool:
    command = [sys.executable, str(ROOT / "scripts" / "healthcheck.py")]
    variables = {"OCR_SETTINGS": str(settings)}
    return subprocess.run(command, env=variables, check=False).returncode == 0


def test_the_three_services_work_together(service: Path, redis: Path, tmp_path: Path) -> None:
    """A reading through nginx is counted in redis; the health check sees the socket."""
    if not Path(PROGRAM).exists():
        pytest.skip("nginx is not installed")
    assert _healthy(service)
    authority = Authority(tmp_path / "authority")
    (tmp_path / "nginx").mkdir()
    receipt = (ROOT / "examples" / "receipt.png").read_bytes()
    with (
        Nginx(tmp_path / "nginx", tmp_path / "ocr.sock", authority) as nginx,
        httpx2.Client(http2=True, verify=authority.trust(), timeout=PATIENCE_S) as client,
    ):
        url = f"https://localhost:{nginx.port}"
        assert client.get(f"{url}/readyz").json()["checks"]["limit_storage"]
        answer = client.post(
            f"{url}/ocr", headers={"X-API-Key": KEY}, files={"image": ("receipt.png", receipt)}
        )
    assert "HARBOUR CAFE" in answer.json()["text"]
    keys = subprocess.run(
        ["redis-cli", "-s", redis, "keys", "*"], capture_output=True, text=True, check=True
    ).stdout
    assert "aaaa1111" in keys


def test_a_stopped_service_is_not_healthy(tmp_path: Path) -> None:
    """Neither without a socket nor without settings."""
    settings = tmp_path / "settings.toml"
    settings.write_text('bind = ["unix:/nowhere/ocr.sock"]\n', encoding="utf-8")
    assert not _healthy(settings)
    assert not _healthy(tmp_path / "nowhere.toml")
