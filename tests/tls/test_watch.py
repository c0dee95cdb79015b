"""Files that change: told once, when they have rested."""

import asyncio
import os
from pathlib import Path

import pytest

from tls.watch import FileWatch, every


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Make a file to watch."""
    path = tmp_path / "file"
    path.write_text("one")
    return path


def test_a_change_is_told_once_it_has_rested(file: Path) -> None:
    """Not at the look that sees it first, and never twice."""
    watch = FileWatch(lambda: [str(file)])
    assert not watch.changed()
    file.write_text("another")
    assert not watch.changed()
    assert watch.changed()
    assert not watch.changed()


def test_a_file_still_being_written_is_left_alone(file: Path) -> None:
    """As long as each look finds another size, nothing is told."""
    watch = FileWatch(lambda: [str(file)])
    for length in range(10, 15):
        file.write_text("x" * length)
        assert not watch.changed()
    assert watch.changed()


@pytest.mark.parametrize("how", ["replaced", "touched", "gone", "new"])
def test_every_kind_of_change_is_seen(file: Path, how: str) -> None:
    """Another file of the same size and time, another time, none, and one more."""
    watch = FileWatch(lambda: [str(path) for path in file.parent.iterdir()])
    if how == "replaced":
        status = file.stat()
        (file.parent / "next").write_text("two")
        (file.parent / "next").replace(file)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif how == "touched":
        os.utime(file, ns=(1, 1))
    elif how == "gone":
        file.unlink()
    else:
        (file.parent / "second").write_text("x")
    watch.changed()
    assert watch.changed()


def test_what_is_taken_needs_no_rest(file: Path) -> None:
    """Somebody who knows that the files are complete takes them; then there is nothing to tell."""
    watch = FileWatch(lambda: [str(file)])
    file.write_text("another")
    watch.take()
    assert not watch.changed()
    assert not watch.changed()


def test_looks_go_on_after_an_error() -> None:
    """One look that fails is not the last one."""
    looks: list[int] = []
    third = asyncio.Event()

    def look() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise OSError
        if len(looks) == 3:
            third.set()

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        every(0.001, look)
        await third.wait()

    asyncio.run(run())
