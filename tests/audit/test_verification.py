"""What was done to a trail is found, and named; and what was not done to it isn't."""

import asyncio
import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.chain_check import ChainCheck, ChainResult
from audit.head import Head, head_from
from audit.keys import keys_of
from audit.line import line_of
from audit.verification import verify
from tests.audit.conftest import KEYS, Damage, Place, request


def _lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines(keepends=True)


def _rewrite(file: Path, lines: list[bytes]) -> None:
    file.chmod(0o600)
    file.write_bytes(b"".join(lines))


def _edited(number: int, change: Callable[[list[bytes]], list[bytes]]) -> Damage:
    """Return what changes the lines of a file."""

    def damage(place: Place) -> None:
        file = place.files[number]
        _rewrite(file, change(_lines(file)))

    return damage


def _forged(lines: list[bytes]) -> list[bytes]:
    """Replace a record as one would who has not the key, its chain continued from there."""
    line, _ = line_of(
        {"kind": "done"}, chain=1, seq=3, prev=lines[1][-68:-4].decode(), keys=keys_of("x" * 64)
    )
    return [*lines[:2], line, *lines[3:]]


DAMAGES: dict[str, tuple[Damage, str]] = {
    "a changed record": (
        _edited(1, lambda ls: [ls[0], ls[1].replace(b'"at":"2', b'"at":"1'), *ls[2:]]),
        "line 2: the record was changed",
    ),
    "a forged record": (_edited(0, _forged), "line 3: the record was changed"),
    "a line of something else": (
        _edited(0, lambda ls: [*ls[:2], b'{"at": "2027-01-01"}\n', *ls[2:]]),
        "line 3: the record was changed",
    ),
    "a record removed": (
        _edited(1, lambda ls: [*ls[:2], *ls[3:]]),
        "line 3: missing before it: records ",
    ),
    "two records swapped": (
        _edited(1, lambda ls: [ls[0], ls[2], ls[1], *ls[3:]]),
        "line 2: missing before it: records ",
    ),
    "a record repeated": (
        _edited(1, lambda ls: [ls[0], *ls]),
        "line 2: out of order or repeated: record ",
    ),
    "the last records removed": (
        _edited(-1, lambda ls: ls[:-2]),
        "chain 1: cut off: records ",
    ),
    "the last line cut": (
        _edited(-1, lambda ls: [*ls[:-1], ls[-1][:40]]),
        "chain 1: cut off: record ",
    ),
    "a line cut in the middle": (
        _edited(1, lambda ls: [*ls[:-1], ls[-1][:-9]]),
        "cut off: no record says that its writing was interrupted",
    ),
    "half a line added in the middle": (
        _edited(1, lambda ls: [*ls, ls[-1][:40]]),
        "cut off: no record says that its writing was interrupted",
    ),
    "half a line added before a record": (
        _edited(1, lambda ls: [*ls[:2], ls[1][:40], *ls[2:]]),
        "line 3: the record was changed",
    ),
    "a file removed": (lambda place: place.files[1].unlink(), "line 1: missing before it: records"),
    "the first file removed": (lambda place: place.files[0].unlink(), "use --from 1:"),
    "the newest file removed": (
        lambda place: place.files[-1].unlink(),
        "chain 1: cut off: records ",
    ),
    "the head removed": (
        lambda place: (place.directory / "1.head").unlink(),
        "chain 1: 1.head is missing",
    ),
    "the head changed": (
        lambda place: (place.directory / "1.head").write_bytes(b"1:1:" + b"0" * 64 + b" x\n"),
        "1.head was changed",
    ),
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A trail of several files and two starts."""
    directory = tmp_path_factory.mktemp("original") / "trail"
    directory.mkdir(mode=0o700)
    place = Place(directory)
    place.written(12)
    place.written(4)
    assert len(place.files) >= 4
    return place


@pytest.fixture
def copy(original: Place, tmp_path: Path) -> Place:
    """The same, to be damaged."""
    return Place(Path(shutil.copytree(original.directory, tmp_path / "trail")), original.events)


def test_an_untouched_trail_is_in_order(copy: Place) -> None:
    """Control: every record is there, also when its old files are compressed or read-only."""
    found = copy.verify(anchors=[head_from(head) for head in copy.heads])
    assert (found.errors, found.notes) == ([], [])
    assert (found.records, found.chains) == (2 * 16 + 4, 1)
    assert found.files == len(copy.files)
    assert "2026" <= found.first_at < found.last_at
    assert {oct(file.stat().st_mode)[-3:] for file in copy.files} == {"400"}
    for file in copy.files[:2]:
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert copy.verify() == found


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found(copy: Place, name: str) -> None:
    """And the first bad line is named, with its file; there is one error a chain."""
    damage, said = DAMAGES[name]
    damage(copy)
    errors = copy.verify().errors
    assert said in "\n".join(errors)
    [first] = [error for error in errors if ".head was changed" not in error][:1] or errors
    assert "line" not in said or str(copy.directory) in first


def test_another_key_verifies_nothing(copy: Place) -> None:
    """And the messages say that it may be the key."""
    errors = verify(copy.directory, keys_of("another" * 9)).errors
    assert len(errors) == 2
    assert all("another key" in error for error in errors)


def test_moved_files_are_the_operator_s(copy: Place) -> None:
    """`--from` verifies the rest; what is missing in it is still found."""
    copy.files[0].unlink()
    [error] = copy.verify().errors
    first = int(error.rpartition("--from 1:")[2])
    assert copy.verify(starts={1: first}).errors == []
    copy.files[1].unlink()
    assert "missing before it" in copy.verify(starts={1: first}).errors[0]


def test_an_older_state_is_found_by_a_head_from_elsewhere(place: Place, tmp_path: Path) -> None:
    """Whoever puts back an old copy of everything deceives the files alone: the log knows more."""
    place.written(2)
    old = shutil.copytree(place.directory, tmp_path / "old")
    place.written(3)
    newest = head_from(place.heads[-1])
    assert verify(old, KEYS).errors == []
    before = Head(1, 7, "0" * 64)
    assert "chain 1: record 7 is missing: --head" in verify(old, KEYS, anchors=[before]).errors[0]
    [error] = verify(old, KEYS, anchors=[newest]).errors
    assert f"records 7 to {newest.seq} are missing: --head names record {newest.seq}" in error
    assert place.verify(anchors=[newest]).errors == []
    other = Head(1, newest.seq, "0" * 64)
    assert "the chain was written anew" in place.verify(anchors=[other]).errors[0]


def test_another_chain_shows_what_was_removed(place: Place) -> None:
    """Two processes write two chains; each records how far the other one had come."""
    one, two = place.open(), place.open()
    three = place.open()  # its start names the heads of both
    for trail in (one, two, three):
        asyncio.run(trail.aclose())
    for file in [*place.directory.glob("2*")]:
        file.unlink()
    [error] = place.verify().errors
    assert "chain 2: records 1 to 2 are missing" in error  # also that of the stop
    assert os.fspath(place.files[-1]) in error


def test_a_chain_that_was_removed_and_begun_again_is_found(place: Place) -> None:
    """Also when it has become longer than it was, and is noted again: every noted head counts."""

    async def two_processes(records: int) -> None:
        trails = [place.open(), place.open()]
        for trail in trails:
            for number in range(records):
                request(trail, number)
        for trail in reversed(trails):  # the first one ends last, and names the head of the second
            await trail.aclose()

    asyncio.run(two_processes(3))
    assert place.verify().errors == []
    for file in [*place.directory.glob("2*")]:
        file.unlink()
    asyncio.run(two_processes(9))
    [error] = place.verify().errors
    assert "record 8 is not the one that" in error
    assert "the chain was written anew" in error


def test_a_service_may_write_between_the_chains(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second chain names a head of the first one that was not there when that was read."""
    trails = [place.open(), place.open()]
    finish = ChainCheck.finish

    def finish_and_write(check: ChainCheck) -> ChainResult:
        result = finish(check)
        while trails:
            asyncio.run(trails.pop(0).aclose())
        return result

    monkeypatch.setattr(ChainCheck, "finish", finish_and_write)
    assert place.verify().errors == []
