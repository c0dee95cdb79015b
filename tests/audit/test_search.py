"""Finding requests in files of several chains, days and forms."""

import asyncio
import gzip
from ipaddress import ip_network
from pathlib import Path

from audit.files import files_of
from audit.search import Search, Sought
from tests.audit.conftest import DOCUMENT, KEYS, Place, request


def _found(place: Place, **sought: object) -> list[str]:
    search = Search(Sought(**sought))  # type: ignore[arg-type]
    return [str(each["request"])[-2:] for each in search.requests(files_of(place.directory))]


def test_requests_are_found_by_what_was_recorded(place: Place) -> None:
    """Whole and once each: in two chains, in compressed files, beside lines of something else."""
    one, two = place.open(max_file_bytes=1000), place.open()
    for number in range(6):
        request(one, number)
    request(two, 7, key="other")
    two.append(kind="received", request="ff", key="other", address="local", documents=None)
    two.append(kind="request", request="08", key="other", status=429, address="2001:db8::1")
    for trail in (one, two):
        asyncio.run(trail.aclose())
    first = place.files[0]
    first.with_name(f"{first.name}.gz").write_bytes(gzip.compress(first.read_bytes()))
    first.unlink()
    place.files[2].chmod(0o600)
    with place.files[2].open("ab") as file:
        file.write(b"something else\n" + b"x" * (3 << 20) + b"\nhalf a line")
    everything = ["00", "01", "02", "03", "04", "05", "07", "08", "ff"]
    assert _found(place) == everything  # one that never ended comes last
    assert _found(place, key="someone") == everything[:6]
    assert _found(place, key="aaaa1111") == everything[:7]  # an id, which both names have here
    assert _found(place, document=KEYS.hash_of(DOCUMENT)) == ["01", "03", "05", "07"]
    assert _found(place, document=KEYS.hash_of(b"another")) == []
    assert _found(place, network=ip_network("192.0.2.0/24")) == everything[:7]
    assert _found(place, network=ip_network("2001:db8::/32")) == ["08"]
    assert _found(place, function="/ocr") == everything[:7]
    assert _found(place, since="2100") == _found(place, until="2000") == []
    search = Search(Sought())
    requests = {
        str(each["request"])[-2:]: each for each in search.requests(files_of(place.directory))
    }
    assert search.skipped == 3
    assert (requests["05"]["status"], requests["05"]["pages"]) == (200, 1)
    assert requests["05"]["documents"][0]["bytes"] == len(DOCUMENT)
    assert "status" not in requests["ff"]


def test_requests_of_several_chains_come_by_time(place: Place) -> None:
    """So that what a key did reads in its order, whichever process served it."""

    async def run() -> None:
        one, two = place.open(), place.open()
        for number in range(4):
            request((one, two)[number % 2], number)
            await asyncio.sleep(0.01)  # another time
        await one.aclose()
        await two.aclose()

    asyncio.run(run())
    assert _found(place) == ["00", "01", "02", "03"]


def test_files_of_days_before_are_not_read(place: Place) -> None:
    """By the day in the name of the file after it."""
    place.written(12)
    old = place.files[0]
    old.chmod(0o600)
    old.write_bytes(b"")
    renamed = [place.directory / file.name.replace("-20", "-19") for file in place.files[:2]]
    for file, name in zip(place.files[:2], renamed, strict=True):
        file.rename(name)
    gone = Path(renamed[0])
    gone.unlink()
    gone.mkdir()  # reading it would be an error
    assert _found(place, since="2000-01-01T00:00:00.000Z")


def test_the_heads_of_the_other_chains_are_noted_in_time(place: Place) -> None:
    """And the log gets this chain's, once it is on the disk."""

    async def run() -> None:
        one, two = place.open(), place.open()
        assert one._chain.has_new_neighbour()
        one.serve()
        assert not one._chain.has_new_neighbour()
        request(two, 1)
        await one._sync()
        assert place.events[-1]["head"].startswith("1:2:")
        await one.aclose()
        await two.aclose()

    asyncio.run(run())
    assert b'"kind":"heads","heads":["2:1:' in place.files[0].read_bytes()
    assert place.verify().errors == []
