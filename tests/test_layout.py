"""The layout: which package may import which, how long things are, what stays out of the web."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Imports go one way. A name stands for the module or package and everything in it.
MAY_IMPORT: dict[str, set[str]] = {
    "app": {"service"},
    "audit": {"audit"},
    "service": {
        "audit",
        "handlers",
        "metrics",
        "middleware",
        "model.errors",
        "model.reader",
        "model.sandbox",
        "model.sizing",
        "server",
        "service",
        "settings",
        "tls",
    },
    "cluster": {
        "cluster",
        "handlers.problems",
        "handlers.writing",
        "model.errors",
        "model.reader",
        "model.sandbox",
        "model.sizing",
        "settings",
        "tls",
    },
    "handlers": {
        "handlers",
        "middleware.errors",
        "middleware.request_context",
        "model.errors",
        "model.reader",
    },
    "metrics": {"metrics", "middleware.request_context"},
    "middleware": {"middleware"},
    "model": {"model"},
    "server": {"server"},
    "settings": {"settings"},
    "tls": {"tls"},
    "web": set(),
}
PACKAGES = sorted(set(MAY_IMPORT) - {"app"})
FILE_LINES = 230
FUNCTION_LINES = 40
# Longer, for a reason that is written beside it.
LONG_FILES = {
    "handlers/problem_table.py": "one table, read as one",
    "settings/tables.py": "one class a table: it is read beside settings.toml",
}
LONG_FUNCTIONS = {
    "server/probes.py:_exchange": "one exchange, and the imports that few starts need",
}
HEAVY = ("numpy", "PIL", "cv2", "onnxruntime", "pypdfium2")


SOURCES = {
    str(file.relative_to(ROOT)): file.read_text(encoding="utf-8")
    for file in [ROOT / "app.py", *(f for p in PACKAGES for f in sorted((ROOT / p).rglob("*.py")))]
}


def _imports(source: str, package: str = "") -> Iterator[str]:
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
        yield from (name for name in names if name.partition(".")[0] in MAY_IMPORT)


def _forbidden(source: str, package: str) -> list[str]:
    allowed = MAY_IMPORT[package]
    return [
        name
        for name in _imports(source, package)
        if not any(name == one or name.startswith(f"{one}.") for one in allowed)
    ]


def test_imports_go_one_way() -> None:
    """Each file imports of ours only what its package's row in the table allows."""
    found = {
        name: _forbidden(source, name.removesuffix(".py").partition("/")[0])
        for name, source in SOURCES.items()
    }
    assert {name: imports for name, imports in found.items() if imports} == {}


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("app", "from model.vision.engine import Engine"),
        ("cluster", "from service.reader import make_reader"),
        ("handlers", "from settings import Settings"),
        ("handlers", "import middleware.authentication"),
        ("handlers", "from middleware import quota"),
        ("handlers", "from model.vision.engine import Engine"),
        ("handlers", "def f():\n    from model.decoding import decoder"),
        ("middleware", "from handlers.problems import respond"),
        ("model", "import tls"),
        ("model", "from ..handlers import ocr".replace("..", "")),
        ("server", "from middleware.quota import Quota"),
        ("service", "from model.workers.pool import Pool"),
        ("settings", "import app"),
        ("tls", "import settings.server"),
    ],
)
def test_a_forbidden_import_is_found(package: str, source: str) -> None:
    """Negative control: the check above refuses each of these."""
    assert len(_forbidden(source, package)) == 1


def _modules_imported(source: str) -> set[str]:
    """Return the modules of ours that `source` imports when it is imported itself."""
    imported = set()
    for node in ast.parse(source).body:  # not inside functions, nor under TYPE_CHECKING
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in _imports(ast.unparse(node)):
                imported.add(name if _path_of(name) in SOURCES else name.rpartition(".")[0])
    return imported


def _path_of(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


def _cycle(sources: dict[str, str]) -> list[str]:
    """Return the modules of an import cycle, if there is one."""
    graph = {
        name: {_path_of(module) for module in _modules_imported(source)}
        for name, source in sources.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_through_others() -> None:
    """There is no import cycle."""
    assert _cycle(SOURCES) == []


def test_a_cycle_is_found() -> None:
    """Negative control: one import more makes a cycle."""
    name = "settings/sources.py"
    changed = SOURCES[name] + "\nfrom settings.loading import load_settings\n"
    assert name in _cycle({**SOURCES, name: changed})


def test_only_what_is_started_sees_the_settings() -> None:
    """The service, and a node of a cluster. Everything else gets explicit values."""
    readers = {package for package, allowed in MAY_IMPORT.items() if "settings" in allowed}
    assert readers == {"cluster", "service", "settings"}


def _functions(source: str) -> Iterable[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from the first statement after the docstring."""
    statements = function.body[1 if ast.get_docstring(function) else 0 :] or function.body
    return (function.end_lineno or 0) - statements[0].lineno + 1


def _long_files() -> set[str]:
    return {name for name, source in SOURCES.items() if len(source.splitlines()) > FILE_LINES}


def _long_functions() -> set[str]:
    return {
        f"{name}:{function.name}"
        for name, source in SOURCES.items()
        for function in _functions(source)
        if _length(function) > FUNCTION_LINES
    }


def test_files_and_functions_are_short() -> None:
    """Longer ones are listed with a reason, and no entry is left over."""
    assert _long_files() == set(LONG_FILES)
    assert _long_functions() == set(LONG_FUNCTIONS)


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
        for name in SOURCES
        if not name.startswith(("app", "model"))
    ]
    assert _heavy_after([*modules, "model.reader", "model.errors"]) == []


def test_a_process_that_reads_images_would_be_found() -> None:
    """The engine's own modules do load them."""
    assert "numpy" in _heavy_after(["model.vision.engine"])
