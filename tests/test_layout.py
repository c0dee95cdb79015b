"""The layout: who may import whom, how long things are, what the web process never loads."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("handlers", "middleware", "model", "settings", "server", "service", "tls")
OWN = {*PACKAGES, "app"}
# Imports go one way. A name stands for the module or package and everything in it.
MAY_IMPORT: dict[str, set[str]] = {
    "app": {
        "handlers",
        "middleware",
        "model.reader",
        "model.errors",
        "model.sandbox",
        "model.sizing",
        "settings",
        "server",
        "service",
        "tls",
    },
    "handlers": {
        "handlers",
        "middleware.errors",
        "middleware.request_context",
        "model.reader",
        "model.errors",
    },
    "middleware": {"middleware"},
    "model": {"model"},
    "settings": {"settings"},
    "server": {"server", "tls"},
    "service": {
        "handlers",
        "middleware",
        "model.errors",
        "model.reader",
        "settings",
        "server",
        "service",
        "tls",
    },
    "tls": {"tls"},
}
FILE_LINES = 230
FUNCTION_LINES = 40
# Longer, for a reason that is written beside it.
LONG_FILES = {
    "app.py": "the whole wiring in one place, as its reader wants it",
    "handlers/problem_table.py": "one table, read as one",
    "settings/tables.py": "one class a table: it is read beside settings.toml",
}
LONG_FUNCTIONS = {
    "server/probes.py:_exchange": "one dialogue, and the imports that only a rare start needs",
}
HEAVY = ("numpy", "PIL", "cv2", "onnxruntime", "pypdfium2")


def _files() -> list[Path]:
    found = [ROOT / "app.py"]
    for package in PACKAGES:
        found += sorted((ROOT / package).rglob("*.py"))
    return found


FILES = _files()
NAMES = [str(file.relative_to(ROOT)) for file in FILES]


def _imports(source: str, package: str) -> Iterator[str]:
    """Yield every module of ours that `source` imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = f"{package}.{base}".rstrip(".")
            # `from model import errors` names a module, `from model.errors import Busy` a class.
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in OWN)


def _forbidden(source: str, package: str) -> list[str]:
    allowed = MAY_IMPORT[package]
    return [
        name
        for name in _imports(source, package)
        if not any(name == one or name.startswith(f"{one}.") for one in allowed)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_imports_go_one_way(name: str) -> None:
    """Each file imports of ours only what its package's row in the table allows."""
    package = name.removesuffix(".py").partition("/")[0]
    assert _forbidden((ROOT / name).read_text(encoding="utf-8"), package) == []


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("handlers", "from settings import Settings"),
        ("handlers", "import middleware.authentication"),
        ("handlers", "from middleware import quota"),
        ("handlers", "from model.vision.engine import Engine"),
        ("handlers", "def f():\n    from model.decoding import decoder"),
        ("middleware", "from handlers.problems import respond"),
        ("model", "import tls"),
        ("model", "from ..handlers import ocr".replace("..", "")),
        ("settings", "import app"),
        ("server", "from middleware.quota import Quota"),
        ("tls", "import settings.server"),
        ("app", "from model.vision.engine import Engine"),
    ],
)
def test_an_import_the_wrong_way_would_be_found(package: str, source: str) -> None:
    """The check above is not blind: each of these is refused."""
    assert len(_forbidden(source, package)) == 1


def test_only_app_and_wiring_see_the_settings() -> None:
    """Everything else gets explicit values."""
    readers = {package for package, allowed in MAY_IMPORT.items() if "settings" in allowed}
    assert readers == {"app", "service", "settings"}


@pytest.mark.parametrize("name", NAMES)
def test_files_are_short(name: str) -> None:
    """A file is read in one sitting."""
    lines = len((ROOT / name).read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES or name in LONG_FILES, f"{lines} lines"


def _functions(source: str) -> Iterable[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from the first statement after the docstring."""
    statements = function.body[1 if ast.get_docstring(function) else 0 :] or function.body
    return (function.end_lineno or 0) - statements[0].lineno + 1


@pytest.mark.parametrize("name", NAMES)
def test_functions_are_short(name: str) -> None:
    """What a function does fits on a screen."""
    for function in _functions((ROOT / name).read_text(encoding="utf-8")):
        lines = _length(function)
        where = f"{name}:{function.name}"
        assert lines <= FUNCTION_LINES or where in LONG_FUNCTIONS, f"{where}: {lines} lines"


def test_no_exception_to_the_lengths_is_left_over() -> None:
    """What has become short again loses its entry."""
    for name in LONG_FILES:
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) > FILE_LINES, name
    for where in LONG_FUNCTIONS:
        name, _, function_name = where.partition(":")
        found = _functions((ROOT / name).read_text(encoding="utf-8"))
        lengths = [_length(function) for function in found if function.name == function_name]
        assert max(lengths, default=0) > FUNCTION_LINES, where


def _heavy_after(modules: Iterable[str]) -> list[str]:
    """Return which of the heavy libraries a process has that imports `modules`."""
    program = (
        "import importlib, sys\n"
        f"for name in {list(modules)!r}: importlib.import_module(name)\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_the_web_process_reads_no_images_itself() -> None:
    """Whatever app.py may import, numpy, Pillow and onnxruntime stay in the child processes."""
    modules = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in NAMES
        if not name.startswith(("app", "model"))
    ]
    assert _heavy_after([*modules, "model.reader", "model.errors"]) == []


def test_a_process_that_reads_images_would_be_found() -> None:
    """The engine's own modules do load them."""
    assert "numpy" in _heavy_after(["model.vision.engine"])
