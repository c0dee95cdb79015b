"""create_app: what it changes in its process, and what importing it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOOK = """
import signal
import hypercorn.asyncio.run as run
print(
    signal.getsignal(signal.SIGHUP) is signal.SIG_IGN,
    run.worker_serve.__code__.co_filename.endswith("hypercorn/asyncio/run.py"),
)
"""


@pytest.mark.parametrize(
    ("statement", "seen"),
    [("import service.app", "False True"), ("import app", "True False")],
)
def test_only_create_app_changes_the_process(statement: str, seen: str, tmp_path: Path) -> None:
    """Importing the package is free of effects; `import app` calls create_app, which has them."""
    settings = (ROOT / "settings.toml").read_text(encoding="utf-8")
    file = tmp_path / "settings.toml"
    file.write_text(settings.replace('"tls/local/', f'"{tmp_path}/'), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{LOOK}"],
        cwd=ROOT,
        env={"OCR_SETTINGS": str(file), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == [seen], done.stderr
