"""The client and the plugins: short, and nothing of the service's is imported."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.service import ROOT
from tests.test_layout import FILE_LINES, FUNCTION_LINES, _functions, _length

FOLDERS = {
    "sealed_ocr_client": ROOT / "client" / "sealed_ocr_client",
    "ocrmypdf_sealed_ocr": ROOT / "integrations" / "ocrmypdf" / "ocrmypdf_sealed_ocr",
    "paperless_sealed_ocr": ROOT / "integrations" / "paperless" / "paperless_sealed_ocr",
}
# Besides the standard library and the package itself; documents is paperless-ngx's.
MAY_IMPORT = {
    "sealed_ocr_client": {"anyio", "httpx2", "keyring", "rich"},
    "ocrmypdf_sealed_ocr": {"ocrmypdf", "PIL", "sealed_ocr_client"},
    "paperless_sealed_ocr": {"documents", "pikepdf", "PIL", "pypdfium2", "sealed_ocr_client"},
}


def imports(source: str) -> Iterator[str]:
    """Yield the top-level packages that a source imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def foreign(package: str, source: str) -> set[str]:
    """Return what a package imports and may not."""
    return set(imports(source)) - MAY_IMPORT[package] - {package} - sys.stdlib_module_names


@pytest.mark.parametrize("package", FOLDERS)
def test_each_imports_its_own_dependencies_alone(package: str) -> None:
    """Nothing of the service, so that it can be installed without it."""
    for file in FOLDERS[package].glob("*.py"):
        assert foreign(package, file.read_text("utf-8")) == set(), file


def test_a_foreign_import_would_be_found() -> None:
    """Negative control."""
    source = "import json, anyio\ndef f():\n    from model.reader import Reader\n"
    assert foreign("sealed_ocr_client", source) == {"model"}


@pytest.mark.parametrize("package", FOLDERS)
def test_files_and_functions_are_short(package: str) -> None:
    """As those of the service are."""
    for file in map(Path, FOLDERS[package].glob("*.py")):
        source = file.read_text("utf-8")
        assert len(source.splitlines()) <= FILE_LINES, file
        assert [each.name for each in _functions(source) if _length(each) > FUNCTION_LINES] == []
