"""The client by itself: installed in an empty environment, and run by scripts/ocr."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.system.service import ROOT, Service, copy_project

RECEIPT = ROOT / "examples" / "receipt.png"
PROJECT = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text("utf-8"))["project"]


def _given(real: Service) -> list[str | Path]:
    key_file = real.directory / ".dev" / "key"
    return ["--url", real.url, "--ca", real.authority, "--key-file", key_file]


def test_the_lock_is_of_its_dependencies() -> None:
    """requirements/client.in names the same packages, and the lock lies in their ranges."""
    dependencies = {one.name: one for one in map(Requirement, PROJECT["dependencies"])}
    folder = ROOT / "requirements"
    lines = (folder / "client.in").read_text("utf-8").splitlines()
    assert {Requirement(line).name for line in lines if line[0] != "#"} == set(dependencies)
    for line in (folder / "client.txt").read_text("utf-8").splitlines():
        if line[0] not in "# ":
            locked = Requirement(line.rstrip("\\ "))
            ours = dependencies.get(locked.name)
            assert ours is None or str(locked.specifier)[2:] in ours.specifier


@pytest.mark.fresh
@pytest.mark.timeout(300)
def test_it_installs_without_the_service(tmp_path: Path, real: Service) -> None:
    """What `pipx install ./client` does; the command reads a file; no package of the service."""
    root = copy_project(tmp_path / "project")
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", root / "client"],
        check=True,
    )
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [environment / "bin" / "sealed-ocr", RECEIPT, *_given(real)],
        cwd=tmp_path, env=bare, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "18.95" in done.stdout
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "freeze"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    names = {line.partition("==")[0].lower() for line in listed.splitlines()}
    assert "sealed-ocr-client" in names
    assert not names & {"starlette", "hypercorn", "numpy", "onnxruntime", "pillow", "sealed-ocr"}


@pytest.mark.fresh
@pytest.mark.timeout(300)
def test_the_script_installs_what_it_needs_once(tmp_path: Path, real: Service) -> None:
    """In a checkout without environments."""
    root = copy_project(tmp_path / "project")
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    said = "Installing what scripts/ocr needs, once ...\n"
    for installs in (True, False):
        done = subprocess.run(
            ["scripts/ocr", RECEIPT, *_given(real)],
            cwd=root, env=bare, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "18.95" in done.stdout
        assert done.stderr.startswith(said) if installs else not done.stderr
