"""What every storage of counts does: the same tests over memory and over a real redis."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import pairwise

import pytest

from middleware.counting.memory_storage import MemoryStorage
from middleware.counting.storage import (
    Charged,
    Lease,
    Period,
    Storage,
    StorageFailed,
    Window,
)
from tests.middleware.conftest import Redis, a_redis

pytestmark = pytest.mark.anyio

ENDS_AT = int(time.time()) + 86_400
DAY, MONTH = Period("pages/day", 10, ENDS_AT), Period("pages/month", 15, ENDS_AT)


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    """Start one redis for the module."""
    with a_redis() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Return an empty storage."""
    if request.param == "memory":
        yield MemoryStorage()
        return
    server: Redis = request.getfixturevalue("server")
    server.flush()
    storage = server.storage(wait_s=5)
    yield storage
    await storage.aclose()


async def _hits(storage: Storage, window: Window, times: int) -> int:
    """Return how many of so many requests at once have room."""
    counted = await asyncio.gather(*(storage.count([window]) for _ in range(times)))
    return sum(one.allowed for (one,) in counted)


async def test_a_window_has_room_for_its_limit(storage: Storage) -> None:
    """At once or one after the other; other keys have windows of their own."""
    window = Window("a", 7, 60)
    assert await _hits(storage, window, 20) == 7
    assert await _hits(storage, window, 2) == 0
    assert await _hits(storage, Window("b", 7, 60), 3) == 3


async def test_a_window_shows_what_is_left(storage: Storage) -> None:
    """How many requests, and how long until the oldest leaves it."""
    found = [(await storage.count([Window("a", 3, 60)]))[0] for _ in range(4)]
    assert [one.remaining for one in found] == [2, 1, 0, 0]
    assert [one.allowed for one in found] == [True, True, True, False]
    assert all(0 < one.reset_s <= 60 for one in found)
    assert all(later.reset_s <= earlier.reset_s for earlier, later in pairwise(found))


async def test_a_window_moves(storage: Storage) -> None:
    """What is a second old has left a window of a second, and no window of two minutes."""
    for attempt in range(9):
        windows = [Window(f"short {attempt}", 2, 1), Window(f"long {attempt}", 9, 120)]
        began = time.monotonic()
        await storage.count(windows)
        await asyncio.sleep(0.5)
        await storage.count(windows)
        refused = await storage.count(windows)
        await asyncio.sleep(0.6)
        found = await storage.count(windows)
        if time.monotonic() - began < 1.45:
            break  # otherwise, on a busy machine, the second one may have left, too
    assert [one.allowed for one in refused] == [False]
    assert [(one.allowed, one.remaining) for one in found] == [(True, 0), (True, 6)]


async def test_the_first_window_without_room_ends_the_counting(storage: Storage) -> None:
    """The windows after it are not counted, those before it are."""
    first, narrow, last = Window("a", 5, 60), Window("b", 1, 60), Window("c", 5, 60)
    assert len(await storage.count([first, narrow, last])) == 3
    assert [one.allowed for one in await storage.count([first, narrow, last])] == [True, False]
    found = await storage.count([first, last])
    assert [one.remaining for one in found] == [2, 3]


async def test_a_lowered_limit_counts_what_there_is(storage: Storage) -> None:
    """Nothing is left, not less than nothing."""
    await _hits(storage, Window("a", 5, 60), 5)
    (found,) = await storage.count([Window("a", 2, 60)])
    assert (found.allowed, found.remaining) == (False, 0)


async def test_a_redis_whose_clock_is_set_back_keeps_nobody_out(server: Redis) -> None:
    """What was counted at a later time than now does not stay until that has come and gone."""
    server.flush()
    async with contextlib.aclosing(server.storage(wait_s=5)) as storage:
        for ahead, allowed in ((-30, False), (7200, True)):
            key = f"ahead {ahead}"
            server.cli("RPUSH", f"sealed-ocr:{key}", f"{(time.time() + ahead) * 1e6:.0f}")
            (found,) = await storage.count([Window(key, 1, 60)])
            assert found.allowed is allowed
            assert found.reset_s <= 60


async def test_pages_are_charged_in_all_periods_or_in_none(storage: Storage) -> None:
    """The period without room is named, and the pages that each has used."""
    charge = partial(storage.charge, periods=[DAY, MONTH], keep_s=60)
    assert await charge("a", 1, 6) == Charged([6, 6])
    assert await charge("b", 1, 5) == Charged([6, 6], 0)
    assert await charge("b", 2, 4) == Charged([10, 10])
    tomorrow = Period("pages/tomorrow", 10, ENDS_AT)
    assert await storage.charge("c", 1, 6, [tomorrow, MONTH], keep_s=60) == Charged([0, 10], 1)
    assert await storage.charge("c", 2, 5, [tomorrow, MONTH], keep_s=60) == Charged([5, 15])


async def test_charges_at_once_fill_a_quota_exactly(storage: Storage) -> None:
    """Of twenty charges of three pages at a quota of ten, three fit."""
    charges = (storage.charge(str(n), 1, 3, [DAY], keep_s=60) for n in range(20))
    found = await asyncio.gather(*charges)
    assert sum(one.exceeded is None for one in found) == 3
    assert await storage.charge("last", 1, 1, [DAY], keep_s=60) == Charged([10])


async def test_pages_are_given_back_once(storage: Storage) -> None:
    """Never more than were charged, and by the same charge only once."""
    charge = partial(storage.charge, periods=[DAY, MONTH], keep_s=60)
    give_back = partial(storage.give_back, periods=[DAY, MONTH], keep_s=60)
    await charge("other", 1, 2)
    await charge("a", 1, 3)
    await charge("a", 2, 4)
    assert await give_back("a", 5) == Charged([4, 4])
    assert await give_back("a", 5) == Charged([4, 4])
    await charge("b", 1, 1)
    assert await give_back("b", 100) == Charged([4, 4])


async def test_a_charge_that_is_sent_twice_counts_once(storage: Storage) -> None:
    """As by a client whose connection broke before it had the answer."""
    charge = partial(storage.charge, periods=[DAY], keep_s=60)
    assert await charge("a", 1, 6) == await charge("a", 1, 6) == Charged([6])


async def test_a_charge_that_arrives_after_its_end_does_not_count(storage: Storage) -> None:
    """As from a redis that hung: the request was denied, and its pages are not charged later."""
    give_back = partial(storage.give_back, periods=[DAY], keep_s=60)
    assert await give_back("late", 6) == Charged([0])
    with pytest.raises(StorageFailed):
        await storage.charge("late", 1, 6, [DAY], keep_s=60)
    assert await storage.charge("other", 1, 1, [DAY], keep_s=60) == Charged([1])


async def test_leases_are_limited_and_end(storage: Storage) -> None:
    """By a release, once; or by themselves. Each key has its own."""
    leases = [Lease("key", str(number), 2, 60) for number in range(4)]
    found = await asyncio.gather(*(storage.lease(lease) for lease in leases))
    held = [lease for lease, (one, _) in zip(leases, found, strict=True) if one]
    assert len(held) == 2
    waiting = [lease for lease in leases if lease not in held]
    assert (await storage.lease(Lease("other", "x", 1, 60))) == (True, 1)
    assert (await storage.lease(held[0])) == (True, 2)  # sent again
    await storage.release(held[0])
    await storage.release(held[0])
    assert await storage.lease(waiting[0]) == (True, 2)
    assert await storage.lease(waiting[1]) == (False, 2)


async def test_a_lease_ends_by_itself(storage: Storage) -> None:
    """As that of a process which was killed; it keeps no longer one from its time."""
    short, long = Lease("key", "short", 2, 1), Lease("key", "long", 2, 60)
    assert await storage.lease(long) == (True, 1)
    assert await storage.lease(short) == (True, 2)
    await asyncio.sleep(1.1)
    assert await storage.lease(Lease("key", "next", 2, 60)) == (True, 2)
    assert await storage.lease(Lease("key", "another", 2, 60)) == (False, 2)
