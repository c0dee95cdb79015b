"""A fair semaphore goes round between callers."""

import asyncio

import pytest

from model.workers.fair_queue import FairSemaphore

pytestmark = pytest.mark.anyio


async def served(turns: FairSemaphore, callers: str) -> str:
    """Return in which order the callers, who all came at once, were served."""
    order: list[str] = []

    async def ask(caller: str) -> None:
        async with turns.turn(caller):
            order.append(caller)
            await asyncio.sleep(0)

    await asyncio.gather(*(ask(caller) for caller in callers))
    return "".join(order)


async def test_callers_are_served_in_rounds() -> None:
    """Who comes last with one wish does not wait for all wishes of who came first."""
    assert await served(FairSemaphore(1), "aaaaabbc") == "aabcabaa"


async def test_one_caller_s_wishes_keep_their_order() -> None:
    """First come, first served, and as many at a time as may be."""
    running = most = 0
    turns = FairSemaphore(2)

    async def ask() -> None:
        nonlocal running, most
        async with turns.turn("a"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(ask() for _ in range(9)))
    assert most == 2


async def test_who_leaves_is_passed_over() -> None:
    """A turn is never lost with one who left, not even at the moment it was given."""
    turns = FairSemaphore(1)
    async with turns.turn("a"):
        early = asyncio.create_task(served(turns, "b"))
        late = asyncio.create_task(served(turns, "c"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        early.cancel()
        await asyncio.sleep(0)
    late.cancel()  # it has just been given the turn
    await asyncio.wait([early, late])
    async with asyncio.timeout(5):
        assert await served(turns, "d") == "d"
