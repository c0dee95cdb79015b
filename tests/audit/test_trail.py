"""Writing: restarts, crashes, full disks, and what is on the disk when."""

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from audit.head import HeadFile
from audit.trail import Trail
from audit.write_back import Batch, write_back
from tests.audit.conftest import KEYS, Place, request
from tests.system.service import ROOT

WRITER = """
import sys
from pathlib import Path
from audit.keys import keys_of
from audit.trail import Trail
trail = Trail(Path(sys.argv[1]), keys_of("k" * 64), max_file_bytes=20_000, sync_s=1, report=dict)
while True:
    trail.append(kind="received", request="0" * 16)
    print(flush=True)
"""


def _end(trail: Trail) -> None:
    """End a trail that no event loop has served."""
    asyncio.run(trail.aclose())


def test_a_killed_process_leaves_a_trail_that_goes_on(place: Place) -> None:
    """`kill -9` in the middle of writing, three times: each start continues the chain."""
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, place.directory], cwd=ROOT, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            for _ in range(200):
                process.stdout.readline()
            process.kill()
    _end(place.open())
    found = place.verify()
    assert found.errors == []
    assert found.records >= 3 * 200 + 5
    assert found.chains == 1
    assert {event["event"] for event in place.events} == {"audit_head"}


@pytest.mark.parametrize("cut", [1, 40])
def test_a_half_written_line_is_kept_and_recorded(place: Place, cut: int) -> None:
    """As a power cut leaves it; without the record of the start after it, it is damage."""
    trail = place.open()
    request(trail, 1)
    trail._chain.head_file.close()  # as if it had died here
    file = place.files[0]
    whole = file.read_bytes()
    os.truncate(file, len(whole) - cut)
    before = place.verify()
    assert before.errors == []
    assert "line 3: interrupted write" in before.notes[0]
    assert before.notes[0].endswith("the next start records it")
    _end(place.open())
    after = place.verify()
    assert after.errors == []
    assert after.notes[0].endswith("recorded")
    assert file.read_bytes() == whole[:-cut]
    os.truncate(file, len(whole) - cut - 1)  # another half line than the one that was recorded
    assert "no record says that its writing was interrupted" in place.verify().errors[0]


def test_a_start_says_what_is_missing(place: Place) -> None:
    """It does not go on as if nothing were; the files that were moved away are no damage."""
    place.written(12)
    moved = place.files[-1].read_bytes(), place.files[-1]
    moved[1].unlink()
    place.events.clear()
    _end(place.open())
    assert place.events[0]["event"] == "audit_damaged"
    assert place.events[0]["damage"].startswith("chain 1: record")
    assert "missing" in place.events[0]["damage"]
    assert "missing before it" in place.verify().errors[0]
    moved[1].write_bytes(moved[0])
    assert place.verify().errors == []
    (place.directory / "1.head").unlink()
    _end(place.open())
    assert "head file was missing" in place.verify().errors[0]


@contextmanager
def _file_size_limit(size: int) -> Iterator[None]:
    """Let the kernel refuse what lies beyond a size: a disk that is full for this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_a_gap_that_is_recorded(place: Place) -> None:
    """Half of a line stays; when there is space again, the next record is one of the gap."""
    trail = place.open()
    request(trail, 1)
    with _file_size_limit(place.files[0].stat().st_size + 30):
        with pytest.raises(OSError, match="File too large"):
            request(trail, 2)
        assert trail.problem is not None
    with _file_size_limit(0):
        for number in (3, 4):
            with pytest.raises(OSError, match="File too large"):
                request(trail, number)
        assert not trail.works()
    assert trail.totals.failures == 3
    request(trail, 5)
    assert trail.problem is None
    _end(trail)
    found = place.verify()
    assert found.errors == []
    assert "interrupted write, 30 bytes; recorded" in found.notes[0]
    assert "3 writes failed since" in found.notes[1]
    events = [event["event"] for event in place.events]
    assert events == ["audit_head", "audit_failed", "audit_recovered", "audit_head"]


def test_a_directory_that_was_moved_is_noticed(place: Place) -> None:
    """Records do not go where nobody finds them; back in its place, the trail goes on."""
    trail = place.open()
    request(trail, 1)
    away = place.directory.rename(place.directory.with_name("away"))
    with pytest.raises(FileNotFoundError):
        request(trail, 2)
    with pytest.raises(FileNotFoundError):  # nor is a directory made, where a disk is missing
        request(trail, 3)
    away.rename(place.directory)
    assert trail.works()
    place.files[-1].unlink()  # the file alone
    with pytest.raises(FileNotFoundError):
        request(trail, 4)
    _end(trail)
    assert "missing" in place.verify().errors[0]


def test_a_new_day_begins_a_new_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the new file continues the chain; names say when a file was begun."""
    trail = place.open(max_file_bytes=100_000)
    request(trail, 1)
    assert len(place.files) == 1

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Tomorrow":
            return cls(2100, 1, 1, tzinfo=tz)

    monkeypatch.setattr("audit.chain.datetime", Tomorrow)
    request(trail, 2)
    assert [file.name for file in place.files][1:] == [
        "1-000000000004-21000101T000000000000Z.jsonl"
    ]
    _end(trail)
    assert place.verify().errors == []


def test_records_are_on_the_disk_in_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 0 before `durable` returns, one sync for all that wait; otherwise a little later."""
    syncs: list[int] = []

    def slow_write_back(batch: Batch, head_file: HeadFile) -> None:
        time.sleep(0.01)
        write_back(batch, head_file)
        syncs.append(batch.head.seq)

    monkeypatch.setattr("audit.trail.write_back", slow_write_back)

    async def run() -> None:
        at_once, later = place.open(sync_s=0), place.open(sync_s=0.05)
        at_once.serve()
        later.serve()

        async def one() -> None:
            at_once.append(kind="received")
            seq = at_once._chain.seq
            await at_once.durable()
            assert max(syncs) >= seq

        await asyncio.gather(*(one() for _ in range(20)))
        assert len(syncs) <= 3
        syncs.clear()
        later.append(kind="received")
        await later.durable()
        assert syncs == []
        while not syncs:  # noqa: ASYNC110 - it is set in a thread
            await asyncio.sleep(0.01)
        await at_once.aclose()
        await later.aclose()

    asyncio.run(run())
    assert place.verify().errors == []
    assert place.verify().chains == 2


def test_the_files_are_the_service_s_alone(place: Place) -> None:
    """Nobody else can read them; a link in their place is not followed; the head is locked."""
    trail = place.open()
    assert {oct(file.stat().st_mode)[-3:] for file in place.directory.iterdir()} == {"600"}
    assert "locked" in _flock(place.directory / "1.head")
    _end(trail)
    assert "free" in _flock(place.directory / "1.head")
    (place.directory / "1.head").unlink()
    target = place.directory.with_name("elsewhere")
    (place.directory / "1.head").symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        place.open()
    assert not target.exists()


def _flock(path: Path) -> str:
    program = (
        "import fcntl, sys\nwith open(sys.argv[1]) as file:\n"
        "    try: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB); print('free')\n"
        "    except BlockingIOError: print('locked')\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    ).stdout


def test_what_is_written_holds_the_key_of_nothing() -> None:
    """Two uses of the one secret have keys that have nothing in common."""
    assert KEYS.chain != KEYS.documents
    assert KEYS.hash_of(b"x") != KEYS.mac(b"x")


def test_a_head_that_cannot_be_written_closes_no_other_file(place: Place) -> None:
    """Its descriptor is used until there is a new one: its number may be another file's by then."""

    async def move_away() -> None:
        trail = place.open(sync_s=0)
        trail.serve()
        request(trail, 1)
        away = place.directory.rename(place.directory.with_name("away"))
        for _ in range(2):
            with (away / "1.head").open("rb") as other:
                with pytest.raises(FileNotFoundError):
                    await trail.durable()
                other.seek(0)
        away.rename(place.directory)
        assert trail.works()
        await trail.aclose()

    asyncio.run(move_away())
    assert place.verify().errors == []
