"""Counters in memory: moving windows, at a cost that does not grow with the number of clients."""

import asyncio
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from limits import parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter

from middleware.memory_storage import SWEEP_S, SweptMemoryStorage

pytestmark = pytest.mark.anyio
LIMIT = parse("3/second")


class Clock:
    """Both clocks that a storage reads, moved by the test."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def read(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Replace the clocks."""
    clock = Clock()
    with mock.patch("time.time", clock.read), mock.patch("time.monotonic", clock.read):
        yield clock


@pytest.fixture(params=[SweptMemoryStorage, MemoryStorage])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Return the service's storage, then limits' own: both count alike."""
    made: Storage = request.param()
    return made


async def thread_hops(storage: Storage, *, clients: int) -> int:
    """Return how many hops to a thread one more request causes with `clients` in the window."""
    strategy = MovingWindowRateLimiter(storage)
    for number in range(clients):
        await strategy.hit(LIMIT, str(number))
    hops = 0

    async def to_thread(work: Any, *arguments: Any) -> Any:
        nonlocal hops
        hops += 1
        return work(*arguments)

    with mock.patch("asyncio.to_thread", to_thread):
        await strategy.hit(LIMIT, "one more")
        for _ in range(clients * 3):
            await asyncio.sleep(0)
    return hops


async def test_a_count_costs_the_same_with_many_clients() -> None:
    """With a hundred clients in the window it needs no thread; limits' own storage needs 100."""
    assert await thread_hops(SweptMemoryStorage(), clients=100) == 0
    assert await thread_hops(MemoryStorage(), clients=100) >= 100


async def test_a_window_moves(storage: Storage, clock: Clock) -> None:
    """A request is allowed again one window after the oldest one that counts."""
    strategy = MovingWindowRateLimiter(storage)
    began = clock.now
    allowed = {}
    for second in (0, 20, 40, 59, 61, 62, 81):
        clock.now = began + second
        allowed[second] = await strategy.hit(parse("3/minute"), "client")
    assert [second for second, passed in allowed.items() if passed] == [0, 20, 40, 61, 81]


async def test_the_window_shows_the_remaining_count(storage: Storage, clock: Clock) -> None:
    """Its reset time is that of its oldest request."""
    strategy = MovingWindowRateLimiter(storage)
    limit = parse("3/minute")
    began = clock.now
    assert await strategy.get_window_stats(limit, "client") == (began + 60, 3)
    await strategy.hit(limit, "client")
    clock.now = began + 20
    await strategy.hit(limit, "client")
    assert await strategy.get_window_stats(limit, "client") == (began + 60, 1)
    clock.now = began + 70
    assert await strategy.get_window_stats(limit, "client") == (began + 80, 2)


async def test_clients_are_counted_apart(storage: Storage) -> None:
    """A count, and clearing it, concerns one key; resetting concerns all."""
    strategy = MovingWindowRateLimiter(storage)
    limit = parse("1/hour")
    assert await strategy.hit(limit, "one")
    assert await strategy.hit(limit, "other")
    assert not await strategy.hit(limit, "one")
    await strategy.clear(limit, "one")
    assert await strategy.hit(limit, "one")
    assert not await strategy.hit(limit, "other")
    assert await storage.reset() == 2
    assert await strategy.hit(limit, "other")
    assert await storage.check()


async def test_expired_keys_are_removed(clock: Clock) -> None:
    """After the window and a sweep nothing of a client is held."""
    storage = SweptMemoryStorage()
    strategy = MovingWindowRateLimiter(storage)
    for number in range(50):
        await strategy.hit(LIMIT, str(number))
    assert len(storage) == 50
    clock.now += 5
    await strategy.hit(LIMIT, "later")
    assert len(storage) == 1


async def test_a_sweep_is_made_once_a_second(clock: Clock) -> None:
    """Between two sweeps expired keys stay, so that a count does not go through all keys."""
    storage = SweptMemoryStorage()
    strategy = MovingWindowRateLimiter(storage)
    began = clock.now
    held = []
    for second in (0, 0.5, 1, 1.75, 2):
        clock.now = began + second * SWEEP_S
        await strategy.hit(LIMIT, str(second))
        held.append(len(storage))
    assert held == [1, 2, 3, 4, 3]


async def test_a_client_in_constant_use_is_bounded(clock: Clock) -> None:
    """Only the times inside the window are held."""
    storage = SweptMemoryStorage()
    strategy = MovingWindowRateLimiter(storage)
    for _ in range(300):
        clock.now += 1
        assert await strategy.hit(parse("100/minute"), "client")
    assert [len(window.times) for window in storage._windows.values()] == [61]
