"""The in-memory storage: what has expired is removed, at a cost that other clients do not set."""

import time
from collections.abc import Iterator
from unittest import mock

import pytest

from middleware.counting.memory_storage import SWEEP_S, MemoryStorage
from middleware.counting.storage import Lease, Period, Window

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def read(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Replace the clocks."""
    clock = Clock()
    with mock.patch("time.time", clock.read), mock.patch("time.monotonic", clock.read):
        yield clock


async def _hit(storage: MemoryStorage, key: str, *, limit: int = 9, seconds: int = 1) -> bool:
    (counted,) = await storage.count([Window(key, limit, seconds)])
    return counted.allowed


async def test_a_window_moves(clock: Clock) -> None:
    """A request is allowed again one window after the oldest one that counts."""
    storage = MemoryStorage()
    began = clock.now
    allowed = {}
    for second in (0, 20, 40, 59, 61, 62, 81):
        clock.now = began + second
        allowed[second] = await _hit(storage, "client", limit=3, seconds=60)
    assert [second for second, passed in allowed.items() if passed] == [0, 20, 40, 61, 81]


async def test_what_has_expired_is_removed(clock: Clock) -> None:
    """After the window, the period, the time to give back and a sweep nothing is held."""
    storage = MemoryStorage()
    for number in range(50):
        await _hit(storage, str(number))
    period = Period("day", 9, int(clock.now) + 2)
    await storage.charge("id", 1, 3, [period], keep_s=2)
    lease = Lease("leases", "id", 1, 2)
    assert await storage.lease(lease) == (True, 1)
    assert len(storage) == 53
    await storage.release(lease)
    clock.now += 5
    await _hit(storage, "later")
    assert len(storage) == 1


async def test_a_sweep_is_made_once_a_second(clock: Clock) -> None:
    """Between two sweeps expired keys stay, so that a count does not go through all keys."""
    storage = MemoryStorage()
    began = clock.now
    held = []
    for second in (0, 0.5, 1, 1.75, 2):
        clock.now = began + second * SWEEP_S
        await _hit(storage, str(second))
        held.append(len(storage))
    assert held == [1, 2, 3, 4, 3]


async def test_a_client_in_constant_use_is_bounded(clock: Clock) -> None:
    """Only the times inside the window are held."""
    storage = MemoryStorage()
    for _ in range(300):
        clock.now += 1
        assert await _hit(storage, "client", limit=100, seconds=60)
    assert [len(window.times) for window in storage._windows.values()] == [61]


async def test_a_clock_that_is_set_back_keeps_nobody_out() -> None:
    """A request leaves its window, and a lease ends, in the time that it has."""
    storage = MemoryStorage()
    with mock.patch("time.time", return_value=time.time() + 7200):
        assert await _hit(storage, "client", limit=1, seconds=60)
        await storage.lease(Lease("leases", "killed", 1, 60))
    with mock.patch("time.monotonic", return_value=time.monotonic() + 59):
        assert not await _hit(storage, "client", limit=1, seconds=60)
        assert await storage.lease(Lease("leases", "next", 1, 60)) == (False, 1)
    with mock.patch("time.monotonic", return_value=time.monotonic() + 61):
        assert await _hit(storage, "client", limit=1, seconds=60)
        assert await storage.lease(Lease("leases", "next", 1, 60)) == (True, 1)
