"""What scripts/test --quick and --untimed run: files that are there."""

import pytest

from tests.conftest import QUICK, ROOT, UNTIMED
from tests.test_layout import PACKAGES

LAYERS = [*PACKAGES, "deploy", "system"]


@pytest.mark.parametrize("names", [QUICK, UNTIMED])
def test_the_files_are_there(names: tuple[str, ...]) -> None:
    """A file that was renamed is renamed there, too: it would be left out without a word."""
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_quick_tests_cover_each_layer() -> None:
    """Each package of the service has some, and so have deploy/ and the running service."""
    covered = {name.split("/")[1] for name in QUICK}
    assert [layer for layer in LAYERS if layer not in covered] == []
