"""Launchers whose child processes run another file than the project's bootstrap file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from model.workers.launcher import ALLOCATOR, BOOTSTRAP, Launcher

PROJECT = Path(__file__).parents[2]
# The project's bootstrap file, after what a test changes in the process.
_CHANGED = """
import runpy, sys
sys.path.insert(0, {project!r})
{changes}
runpy.run_path({bootstrap!r}, run_name="__main__")
"""

MakeLauncher = Callable[[str], Launcher]


def changed_bootstrap(changes: str = "") -> str:
    """Return code that makes changes to a child process before it starts as usual."""
    return _CHANGED.format(project=str(PROJECT), changes=changes, bootstrap=str(BOOTSTRAP))


@pytest.fixture
def launcher_of(tmp_path: Path) -> MakeLauncher:
    """Return a function that makes a launcher whose children run this code instead."""

    def make(code: str) -> Launcher:
        file = tmp_path / "bootstrap.py"
        file.write_text(code, encoding="utf-8")
        return Launcher(file, ALLOCATOR)

    return make
