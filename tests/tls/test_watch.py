"""A changed file is reported once, after it has stayed the same for one poll."""

import asyncio
import os
from pathlib import Path

import pytest

from tls.watch import FileWatch, poll_every


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Make a file to watch."""
    path = tmp_path / "file"
    path.write_text("one")
    return path


def test_a_change_is_reported_once_debounced(file: Path) -> None:
    """Not by the poll that sees it first, and never twice."""
    watch = FileWatch(lambda: [str(file)])
    assert not watch.poll()
    file.write_text("another")
    assert not watch.poll()
    assert watch.poll()
    assert not watch.poll()


def test_a_file_still_being_written_is_not_reported(file: Path) -> None:
    """As long as each poll finds another size, nothing is reported."""
    watch = FileWatch(lambda: [str(file)])
    for length in range(10, 15):
        file.write_text("x" * length)
        assert not watch.poll()
    assert watch.poll()


@pytest.mark.parametrize("how", ["replaced", "touched", "gone", "new"])
def test_every_kind_of_change_is_seen(file: Path, how: str) -> None:
    """A file of the same size and time, another time, a removed file, a new file."""
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
    watch.poll()
    assert watch.poll()


def test_accepted_files_are_not_reported(file: Path) -> None:
    """SIGHUP says that the files are complete: they are accepted without debouncing."""
    watch = FileWatch(lambda: [str(file)])
    file.write_text("another")
    watch.accept()
    assert not watch.poll()
    assert not watch.poll()


def test_polling_goes_on_after_an_error() -> None:
    """A poll that raises is not the last one."""
    polls: list[int] = []
    third = asyncio.Event()

    def poll() -> None:
        polls.append(1)
        if len(polls) == 1:
            raise OSError
        if len(polls) == 3:
            third.set()

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        poll_every(0.001, poll)
        await third.wait()

    asyncio.run(run())
