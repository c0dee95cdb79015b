"""What scripts/test --quick runs: files that are there, of every package."""

from tests.conftest import QUICK, ROOT
from tests.test_layout import PACKAGES

LAYERS = [*PACKAGES, "deploy", "system"]


def test_the_quick_tests_are_there() -> None:
    """A file that was renamed is renamed there, too: it would be left out without a word."""
    assert [name for name in QUICK if not (ROOT / name).exists()] == []


def test_the_quick_tests_cover_each_layer() -> None:
    """Each package of the service has some, and so have deploy/ and the running service."""
    covered = {name.split("/")[1] for name in QUICK}
    assert [layer for layer in LAYERS if layer not in covered] == []
