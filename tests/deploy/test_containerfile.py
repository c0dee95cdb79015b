"""deploy/Containerfile copies every module and data file that the service reads, and no more."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.units import ROOT
from tests.test_layout import PACKAGES

DATA = ("model/weights.toml", "model/weights/sealed-crnn-v2.onnx", "tls/openssl.cnf")
KEYS = ("arguments", "certificate", "changes", "check", "file", "list", "notes", "state", "text")
SCRIPTS = (
    "scripts/audit_command.py",
    "scripts/audit_table.py",
    "scripts/healthcheck.py",
    "scripts/precompile.py",
    "scripts/time_argument.py",
    "scripts/usage_table.py",
    "scripts/keys.py",
    *(f"scripts/key_{part}.py" for part in KEYS),
)
SHELL_SCRIPTS = ("scripts/install",)


def copied() -> set[Path]:
    """Return the files that the COPY lines name, as the build sees them."""
    text = (ROOT / "deploy" / "Containerfile").read_text("utf-8")
    files: set[Path] = set()
    for line in text.splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                for path in ROOT.glob(source.rstrip("/")):
                    files.update(path.rglob("*") if path.is_dir() else [path])
    return {file.relative_to(ROOT) for file in files if file.is_file()}


def imported(module: Path) -> Iterator[Path]:
    """Yield the project's files that a file imports, those they import too."""
    pending, seen = [module], set[Path]()
    while pending:
        file = pending.pop()
        if file in seen or not file.is_file():
            continue
        seen.add(file)
        yield file.relative_to(ROOT)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Import():
                    names = [alias.name for alias in node.names]
                case ast.ImportFrom():
                    names = [f"{node.module}.{alias.name}" for alias in node.names]
                case _:
                    continue
            for name in names:
                path = ROOT.joinpath(*name.split("."))
                for parent in (path, *path.parents):
                    pending += [parent.with_suffix(".py"), parent / "__init__.py"]
                    if parent == ROOT:
                        break


def test_everything_that_is_imported_is_copied() -> None:
    """Of app.py, of the scripts that the image has, and of whatever is started by name."""
    files = copied()
    for entry in ("app.py", "service/__main__.py", "service/check.py", *SCRIPTS):
        missing = set(imported(ROOT / entry)) - files
        assert not missing, (entry, missing)
    modules = {file.relative_to(ROOT) for name in PACKAGES for file in (ROOT / name).rglob("*.py")}
    assert {file for file in modules if "training" not in file.parts} <= files
    assert {Path(name) for name in DATA} <= files


def test_nothing_else_is_copied() -> None:
    """No test, no bench, no training code, no key and no certificate."""
    allowed = (*PACKAGES, "requirements", "scripts")
    for file in copied():
        assert len(file.parts) == 1 or file.parts[0] in allowed, file
        assert "training" not in file.parts, file
        assert file.suffix not in {".pem", ".key"}, file
    scripts = {file for file in copied() if file.parts[0] == "scripts"}
    assert scripts == {Path(name) for name in (*SHELL_SCRIPTS, *SCRIPTS)}
