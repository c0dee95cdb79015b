"""A budget of memory: who waits, and that no byte is lost."""

import asyncio

import pytest

from model.workers.memory_budget import MemoryBudget, Reservation

pytestmark = pytest.mark.anyio


async def _held(budget: MemoryBudget, size_bytes: int, release: asyncio.Event) -> None:
    with budget.reservation() as reservation:
        await reservation.resize(size_bytes)
        await release.wait()


async def _settled() -> None:
    for _ in range(9):
        await asyncio.sleep(0)


async def _free(budget: MemoryBudget) -> bool:
    """Return whether all of a budget of 10 bytes is free."""
    with budget.reservation() as reservation:
        try:
            async with asyncio.timeout(0.05):
                await reservation.resize(10)
        except TimeoutError:
            return False
    return True


async def test_a_reservation_waits_until_there_is_enough() -> None:
    """The large one first, although the small one behind it would fit: it must not starve."""
    budget, release = MemoryBudget(10), asyncio.Event()
    order: list[str] = []

    async def add(name: str, size_bytes: int) -> None:
        with budget.reservation() as reservation:
            await reservation.resize(size_bytes)
            order.append(name)

    holder = asyncio.create_task(_held(budget, 6, release))
    await _settled()
    waiting = [asyncio.create_task(add(*each)) for each in (("large", 9), ("small", 4))]
    await _settled()
    assert order == []
    release.set()
    await asyncio.gather(holder, *waiting)
    assert order == ["large", "small"]
    assert await _free(budget)


async def test_two_that_grow_do_not_wait_for_each_other() -> None:
    """Each gives back what it has before it waits."""
    budget = MemoryBudget(10)

    async def grow() -> None:
        with budget.reservation() as reservation:
            await reservation.resize(4)
            await asyncio.sleep(0)
            await reservation.resize(9)

    async with asyncio.timeout(5):
        await asyncio.gather(grow(), grow())
    assert await _free(budget)


async def test_one_that_shrinks_lets_others_in() -> None:
    """A page that is smaller than was reserved for it."""
    budget = MemoryBudget(10)
    with budget.reservation() as first, budget.reservation() as second:
        await first.resize(10)
        waiting = asyncio.create_task(second.resize(7))
        await _settled()
        assert not waiting.done()
        await first.resize(3)
        await waiting
        assert second.waited_s > 0
    assert await _free(budget)


async def test_one_that_is_cancelled_leaves_nothing_behind() -> None:
    """While it waits, and just after it got its bytes."""
    budget = MemoryBudget(10)
    with budget.reservation() as holder:
        await holder.resize(10)
        with budget.reservation() as early, budget.reservation() as late:
            tasks = [asyncio.create_task(each.resize(10)) for each in (early, late)]
            await _settled()
            tasks[0].cancel()
            await asyncio.wait(tasks[:1])
            await holder.resize(0)
            tasks[1].cancel()
            await asyncio.wait(tasks)
    assert await _free(budget)


async def test_one_that_is_larger_than_the_budget_gets_all_of_it() -> None:
    """And is alone."""
    budget, release = MemoryBudget(10), asyncio.Event()
    holder = asyncio.create_task(_held(budget, 25, release))
    await _settled()
    reservation = Reservation(budget)
    waiting = asyncio.create_task(reservation.resize(1))
    await _settled()
    assert not waiting.done()
    release.set()
    await asyncio.gather(holder, waiting)
    await reservation.resize(0)
    assert await _free(budget)
