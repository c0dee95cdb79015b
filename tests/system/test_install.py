"""scripts/install: what it says, and what it refuses, before anything is installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.service import ROOT, copy_project
from tests.system.test_scripts import bare

PYTHON = sys.executable
NAMES = ("python3", *(f"python3.{minor}" for minor in range(11, 14)))
WITHOUT_VENV = f'case "$*" in *ensurepip*) exit 1;; esac\nexec {PYTHON} "$@"'
# Nothing listens there, and no configuration of this machine names another index.
NO_INDEX = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "https://127.0.0.1:9/simple"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project, in which nothing is installed."""
    return copy_project(tmp_path_factory.mktemp("install") / "project")


def fakes(directory: Path, text: str) -> Path:
    """Make a folder in which every Python is this shell script."""
    directory.mkdir()
    for name in NAMES:
        (directory / name).write_text(f"#!/bin/sh\n{text}\n")
        (directory / name).chmod(0o755)
    return directory


def run(*command: str | Path, **environment: str) -> tuple[int, str]:
    """Run a command; return its exit status and what it said to standard error."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(shutil.which("dash") is None, reason="needs a POSIX shell other than bash")
def test_a_machine_without_venv_is_told_the_line(project: Path, tmp_path: Path) -> None:
    """Where Python has no ensurepip and there is no uv, the one apt line is printed."""
    path = f"{fakes(tmp_path / 'bin', WITHOUT_VENV)}:/usr/bin:/bin"
    status, said = run("dash", project / "scripts" / "serve", **bare(tmp_path, path))
    assert status != 0
    assert "sudo apt-get install -y python3-venv" in said


def test_a_machine_without_a_network_is_told_of_the_bundle(project: Path, tmp_path: Path) -> None:
    """At once: pip does not retry, and nothing has been made that a second try would stumble on."""
    status, said = run(project / "scripts" / "install", **bare(tmp_path) | NO_INDEX)
    assert status == 1
    assert "No network, or no package index that answers" in said
    assert "scripts/bundle" in said
    assert "Retrying" not in said
    assert re.match(r"Using /\S+, Python 3\.1[123]\.\d+ \(the newest of .* in PATH\)\.\n", said)
    assert not (project / ".venv").exists()


def test_a_python_that_was_asked_for_is_not_replaced(project: Path, tmp_path: Path) -> None:
    """One of the wrong version, or none at all."""
    status, said = run(project / "scripts" / "install", **bare(tmp_path), PYTHON="/bin/false")
    assert (status, said) == (1, "PYTHON=/bin/false is not Python 3.11 to 3.13.\n")


@pytest.mark.parametrize("place", ["/opt", "/mnt"])
def test_a_python_in_a_home_is_refused_where_services_are(
    project: Path, tmp_path: Path, place: str
) -> None:
    """In /opt the service runs as a user that may not enter a home; elsewhere it is a trial."""
    python = fakes(tmp_path / "bin", WITHOUT_VENV) / "python3"  # so that nothing is installed
    inside = f'mount --bind "$1" {place} && cd {place} && exec scripts/install'
    private = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    if subprocess.run([*private, f"mount --bind {project} {place}"], check=False).returncode:
        pytest.skip("this machine makes no mount namespaces")
    environment = bare(tmp_path, "/usr/bin:/bin") | {"PYTHON": str(python)}
    status, said = run(*private, inside, "sh", project, **environment)
    assert status == 1
    assert ("is in a home directory" in said) == (place == "/opt"), said
    assert ("PYTHON=/usr/bin/python3 scripts/install" in said) == (place == "/opt")
    assert ("(given in PYTHON)" in said) == (place != "/opt")


def test_bytecode_is_stored_for_what_is_imported(tmp_path: Path) -> None:
    """Of the service and its libraries; not of what no module of the service imports."""
    environment = bare(tmp_path) | {"PYTHONPYCACHEPREFIX": str(tmp_path / "cache")}
    subprocess.run([PYTHON, ROOT / "scripts" / "precompile.py"], env=environment, check=True)
    stored = {str(path).rpartition(".cpython")[0] for path in tmp_path.rglob("*.pyc")}

    def has(module: str) -> bool:
        return any(name.endswith(module) for name in stored)

    assert all(map(has, ("/service/app", "/model/vision/engine", "/model/decoding/decoder")))
    assert all(
        map(has, ("/hypercorn/__main__", "/numpy/_core/multiarray", "/redis/asyncio/client"))
    )
    assert not any(map(has, ("/numpy/f2py/crackfortran", "/model/training/train")))
