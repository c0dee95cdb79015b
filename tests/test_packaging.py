"""pyproject.toml: the declared dependencies, the supported Python versions, and the wheel."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.system.service import ROOT, copy_project
from tests.test_layout import PACKAGES

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
VERSION = re.compile(r"3\.\d+")


def names(file: str) -> set[str]:
    """Return the packages that a file in requirements/ asks for, without what it includes."""
    lines = (ROOT / "requirements" / file).read_text("utf-8").splitlines()
    return {Requirement(line).name for line in lines if line and line[0] not in "#-"}


def locked() -> Iterator[Requirement]:
    """Yield what requirements/runtime.txt installs on this machine."""
    for line in (ROOT / "requirements" / "runtime.txt").read_text("utf-8").splitlines():
        if line and line[0] not in "# -":
            requirement = Requirement(line.rstrip("\\ "))
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement


def test_dependencies_are_those_of_the_locks() -> None:
    """runtime.in and dev.in name the same packages as pyproject.toml."""
    runtime = {Requirement(each).name for each in PROJECT["dependencies"]}
    development = {Requirement(each).name for each in PROJECT["optional-dependencies"]["dev"]}
    assert runtime == names("runtime.in")
    assert development == names("dev.in")


def test_the_lock_satisfies_the_dependencies() -> None:
    """Every locked version lies in the declared range."""
    versions = {canonicalize_name(each.name): str(each.specifier)[2:] for each in locked()}
    for text in PROJECT["dependencies"]:
        requirement = Requirement(text)
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, text


def test_the_supported_python_versions_agree() -> None:
    """Classifiers, requires-python and scripts/install name the same versions."""
    classified = VERSION.findall(" ".join(PROJECT["classifiers"]))
    script = (ROOT / "scripts" / "install").read_text("utf-8")
    [line] = [line for line in script.splitlines() if "for python in" in line]
    assert sorted(VERSION.findall(line)) == classified
    assert PROJECT["requires-python"] == f">={classified[0]}"
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{classified[0].replace('.', '')}"
    assert f"needed: Python {classified[0]} to {classified[-1]}" in script


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    root = copy_project(folder / "project")
    for secret in ("tls/local/ca.key", "tls/local/ca.pem", "settings.local.toml", ".dev/key"):
        (root / secret).parent.mkdir(exist_ok=True)
        (root / secret).touch()
    build = f"import setuptools.build_meta as backend; backend.build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=root, check=True, capture_output=True)
    [file] = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_the_service(wheel: set[str]) -> None:
    """Every module and data file that the service reads is in it, and nothing else."""
    modules = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if "training" not in file.parts
    }
    weights = {str(file.relative_to(ROOT)) for file in (ROOT / "model/weights").glob("*.onnx")}
    profiles = {str(file.relative_to(ROOT)) for file in Path(ROOT / "tls").glob("*.cnf")}
    files = {"app.py", "model/weights.toml", "handlers/pdf/glyphless.ttf"}
    pages = {str(file.relative_to(ROOT)) for file in (ROOT / "web").glob("*.*")}
    assert wheel == files | modules | weights | profiles | pages
