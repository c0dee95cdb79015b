"""What scripts/test --quick and --untimed run: files that are there."""

import re

import pytest

from tests.conftest import QUICK, ROOT, TIMED, UNTIMED, is_untimed
from tests.test_layout import PACKAGES

STOPWATCH = re.compile(r"perf[_]counter|process[_]time\(|thread[_]time\(|longest[_]stall")
LAYERS = [*PACKAGES, "deploy", "system"]


@pytest.mark.parametrize("names", [QUICK, TIMED, UNTIMED])
def test_the_files_are_there(names: tuple[str, ...]) -> None:
    """A file that was renamed is renamed there, too: it would be left out without a word."""
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_quick_tests_cover_each_layer() -> None:
    """Each package of the service has some, and so have deploy/ and the running service."""
    covered = {name.split("/")[1] for name in QUICK}
    assert [layer for layer in LAYERS if layer not in covered] == []


def test_what_measures_time_runs_at_the_usual_priority() -> None:
    """No file of UNTIMED does."""
    files = {str(file.relative_to(ROOT)): file for file in (ROOT / "tests").rglob("test_*.py")}
    measuring = {name for name, file in files.items() if STOPWATCH.search(file.read_text("utf-8"))}
    assert set(TIMED) <= measuring
    assert [name for name in measuring if is_untimed(name)] == []
