"""Counts in memory: forgotten in time, at a cost that does not grow with the callers."""

import asyncio
import time
from typing import Any
from unittest import mock

import pytest
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import storage_from_string

from middleware.memory_storage import SweptMemoryStorage

pytestmark = pytest.mark.anyio
LIMIT = parse("3/second")


async def thread_hops(storage: MemoryStorage, *, callers: int) -> int:
    """Count the hops to a thread that one more request costs with `callers` in the window."""
    strategy = MovingWindowRateLimiter(storage)
    for number in range(callers):
        await strategy.hit(LIMIT, str(number))
    hops = 0

    async def to_thread(work: Any, *arguments: Any) -> Any:
        nonlocal hops
        hops += 1
        return work(*arguments)

    with mock.patch("asyncio.to_thread", to_thread):
        await strategy.hit(LIMIT, "one more")
        for _ in range(callers * 3):
            await asyncio.sleep(0)
    return hops


async def test_a_count_costs_the_same_with_many_callers() -> None:
    """A hundred callers in the window cost the next request no hop; with limits' own, one each."""
    assert await thread_hops(SweptMemoryStorage(), callers=100) == 0
    assert await thread_hops(MemoryStorage(), callers=100) >= 100


async def test_expired_counts_are_forgotten() -> None:
    """After the window and a sweep, nothing of a caller is kept."""
    storage = SweptMemoryStorage()
    strategy = MovingWindowRateLimiter(storage)
    for number in range(50):
        await strategy.hit(LIMIT, str(number))
    assert len(storage.events) == 50
    later = time.time() + 5
    storage._next_sweep = 0
    with mock.patch("time.time", return_value=later):
        await strategy.hit(LIMIT, "later")
    assert len(storage.events) == 1
    assert len(storage.locks) <= 1


async def test_limits_hold_across_sweeps() -> None:
    """A sweep never forgets a count that is still in its window."""
    storage = SweptMemoryStorage()
    strategy = MovingWindowRateLimiter(storage)
    allowed = []
    for _ in range(5):
        storage._next_sweep = 0
        allowed.append(await strategy.hit(parse("3/hour"), "caller"))
    assert allowed == [True, True, True, False, False]


async def test_it_is_what_the_settings_name() -> None:
    """`async+memory://` opens the swept storage."""
    assert isinstance(storage_from_string("async+memory://"), SweptMemoryStorage)


async def test_a_caller_that_never_rests_is_not_remembered_for_ever() -> None:
    """Of a key in constant use only what is in the window is kept."""
    storage = SweptMemoryStorage()
    strategy = MovingWindowRateLimiter(storage)
    now = time.time()
    for second in range(300):
        storage._next_sweep = 0
        with mock.patch("time.time", return_value=now + second):
            assert await strategy.hit(parse("100/minute"), "caller")
    assert sum(map(len, storage.events.values())) <= 61
