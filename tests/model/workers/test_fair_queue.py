"""A fair semaphore serves callers round-robin."""

import asyncio

import pytest

from model.workers.fair_queue import EXPECTED_S, FairSemaphore

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


COSTS_S = {"s": 12.0, "f": 0.5}  # a caller of slow pages, a caller of fast ones


async def shares(total: int, *, charged: bool) -> dict[str, float]:
    """Return what two callers, who always wait, have used of a total: of seconds, or of turns."""
    used = dict.fromkeys(COSTS_S, 0.0)
    semaphore = FairSemaphore(1)

    async def work(caller: str) -> None:
        while True:
            async with semaphore.turn(caller) as turn:
                if sum(used.values()) >= total:
                    return
                used[caller] += COSTS_S[caller] if charged else 1
                turn.charge(COSTS_S[caller] if charged else EXPECTED_S)
                await asyncio.sleep(0)

    await asyncio.gather(*(work(caller) for caller in "ssssff"))
    return used


async def test_callers_get_the_same_time_not_the_same_number_of_turns() -> None:
    """However slow one caller's pages are. Control: where all cost the same, so are the turns."""
    used = await shares(240, charged=True)
    assert abs(used["s"] - used["f"]) <= COSTS_S["s"] + 2
    used = await shares(240, charged=False)
    assert abs(used["s"] - used["f"]) <= 2


async def test_time_that_was_not_used_is_not_saved_up() -> None:
    """A caller that arrives late shares from then on, and does not get what others had before."""
    semaphore = FairSemaphore(1)
    order: list[str] = []
    half = asyncio.Event()

    async def work(caller: str, number: int) -> None:
        for _ in range(number):
            async with semaphore.turn(caller) as turn:
                order.append(caller)
                if len(order) == 20:
                    half.set()
                turn.charge(2)
                await asyncio.sleep(0)

    early = [asyncio.create_task(work("a", 20)) for _ in range(2)]
    await half.wait()
    late = [asyncio.create_task(work("b", 5)) for _ in range(2)]
    await asyncio.gather(*early, *late)
    assert "bbb" not in "".join(order[25:])


async def test_time_is_charged_after_the_turn_too() -> None:
    """What a cancelled page has used is known only when its process has ended."""
    semaphore = FairSemaphore(1)
    async with semaphore.turn("c"):
        waiting = asyncio.create_task(served(semaphore, "aab"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        semaphore.charge("a", 5)
    assert await waiting == "baa"


@pytest.mark.parametrize("waits", [True, False])
async def test_an_extra_turn_forgives_no_debt(*, waits: bool) -> None:
    """If a caller that comes first still waits. Control: if only the debtor competes."""
    semaphore = FairSemaphore(1)
    async with semaphore.turn("a") as turn:
        semaphore.charge("d", 500)
        waiting = [asyncio.create_task(served(semaphore, "a"))] if waits else []
        extra = asyncio.create_task(semaphore.turn("d").__aenter__())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        turn.mark_slow()
        debtor = await extra
        debt_s = semaphore._tag("d") - semaphore._tag("a")
        debtor.settle()
    assert debt_s == (500 if waits else EXPECTED_S)
    await asyncio.gather(*waiting)


async def test_debts_are_forgiven_when_nobody_competes() -> None:
    """No caller is remembered for ever."""
    semaphore = FairSemaphore(1)
    for caller in "abc":
        async with semaphore.turn(caller) as turn:
            turn.charge(100)
    assert not semaphore._tags


async def test_one_caller_s_slow_turns_leave_one_for_another() -> None:
    """A turn more than the size, for a caller that holds none, and not for a third."""
    semaphore = FairSemaphore(2)
    async with semaphore.turn("a") as first, semaphore.turn("a") as second:
        same = asyncio.create_task(served(semaphore, "a"))
        other = asyncio.create_task(semaphore.turn("b").__aenter__())
        third = asyncio.create_task(served(semaphore, "c"))
        await asyncio.sleep(0)
        first.mark_slow()
        await asyncio.sleep(0)
        assert not other.done()  # control: one turn is not slow
        second.mark_slow()
        turn = await other
        turn.mark_slow()
        await asyncio.sleep(0)
        assert not same.done()
        assert not third.done()
        turn.settle()
        assert await third == "c"
        assert not same.done()
    assert await same == "a"
