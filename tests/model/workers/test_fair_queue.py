"""A fair semaphore serves callers round-robin."""

import asyncio

import pytest

from model.workers.fair_queue import FairSemaphore

pytestmark = pytest.mark.anyio


async def served(semaphore: FairSemaphore, callers: str) -> str:
    """Return the order in which these callers, who arrive at once, get their turns."""
    order: list[str] = []

    async def wait(caller: str) -> None:
        async with semaphore.turn(caller):
            order.append(caller)
            await asyncio.sleep(0)

    await asyncio.gather(*(wait(caller) for caller in callers))
    return "".join(order)


async def test_callers_are_served_in_rounds() -> None:
    """The last caller's single turn does not come after all turns of the first one."""
    assert await served(FairSemaphore(1), "aaaaabbc") == "aabcabaa"


async def test_no_more_turns_than_the_size() -> None:
    """At any time."""
    running = most = 0
    semaphore = FairSemaphore(2)

    async def wait() -> None:
        nonlocal running, most
        async with semaphore.turn("a"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(wait() for _ in range(9)))
    assert most == 2


async def test_a_turn_may_be_released_early_and_only_once() -> None:
    """The next caller starts inside the first one's block; its end frees no second turn."""
    semaphore = FairSemaphore(1)
    async with semaphore.turn("a") as turn:
        turn.release()
        turn.release()
        async with asyncio.timeout(5), semaphore.turn("b"):
            waiting = asyncio.create_task(served(semaphore, "c"))
            await asyncio.sleep(0)
            turn.release()
            await asyncio.sleep(0)
            assert not waiting.done()
    assert await waiting == "c"


async def test_cancelled_callers_are_skipped() -> None:
    """No turn is lost with a cancelled caller, even if it has just been given the turn."""
    semaphore = FairSemaphore(1)
    async with semaphore.turn("a"):
        early = asyncio.create_task(served(semaphore, "b"))
        late = asyncio.create_task(served(semaphore, "c"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        early.cancel()
        await asyncio.sleep(0)
    late.cancel()  # it has just been given the turn
    await asyncio.wait([early, late])
    async with asyncio.timeout(5):
        assert await served(semaphore, "d") == "d"
