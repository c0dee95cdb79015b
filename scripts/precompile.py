"""Import every module of the service, so that Python stores the bytecode of all that they import.

A service whose user may not write into .venv would compile it again at each start. To compile all
of .venv takes several times the space, most of it for code that is never imported.
"""

import importlib
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PACKAGES = (
    "audit",
    "handlers",
    "metrics",
    "middleware",
    "model",
    "server",
    "service",
    "settings",
    "tls",
)


def main() -> None:
    """Import them, training left out."""
    paths = [str(ROOT / package) for package in PACKAGES]
    prefixes = [f"{package}." for package in PACKAGES]
    for late in ("hypercorn.__main__", "prometheus_client", "redis.asyncio"):  # not at the top
        importlib.import_module(late)
    for path, prefix in zip(paths, prefixes, strict=True):
        importlib.import_module(prefix.rstrip("."))
        _import_all(path, prefix)


def _import_all(path: str, prefix: str) -> None:
    for module in pkgutil.iter_modules([path], prefix):
        if module.name != "model.training":
            importlib.import_module(module.name)
            if module.ispkg:
                _import_all(f"{path}/{module.name.rpartition('.')[2]}", f"{module.name}.")


if __name__ == "__main__":
    main()
