"""Slots before the engines: spare ones are for callers that hold none, and nobody starves."""

import asyncio

import pytest

from model.workers.caller_slots import CallerSlots

pytestmark = pytest.mark.anyio


class Waiters:
    """Callers, each a letter, that wait for slots; `got` has those that got one, in order."""

    def __init__(self, slots: CallerSlots) -> None:
        self.slots = slots
        self.got = ""
        self.tasks: list[asyncio.Task[None]] = []

    async def add(self, callers: str) -> str:
        """Let these wait; return all that have got a slot so far."""
        self.tasks += [asyncio.create_task(self._wait(caller)) for caller in callers]
        return await self.settled()

    async def release(self, caller: str) -> str:
        """Free a slot of this caller; return all that have got one so far."""
        self.slots.release(caller)
        return await self.settled()

    async def settled(self) -> str:
        """Return all that have got a slot, when nobody else gets one any more."""
        for _ in range(10):
            await asyncio.sleep(0)
        return self.got

    async def _wait(self, caller: str) -> None:
        await self.slots.acquire(caller)
        self.got += caller


async def test_a_spare_slot_is_for_a_caller_that_holds_none() -> None:
    """However many requests of the first caller wait before it. Control: no spare slot."""
    assert await Waiters(CallerSlots(2, spare=1)).add("aaaab") == "aab"
    assert await Waiters(CallerSlots(2)).add("aaaab") == "aa"


async def test_the_spare_slot_is_not_counted_to_its_holder() -> None:
    """When one of the others is freed, the spare one is a caller's that holds none, again."""
    waiters = Waiters(CallerSlots(2, spare=1))
    assert await waiters.add("aaaabc") == "aab"
    assert await waiters.release("a") == "aabc"  # c holds none; a's next page is not before it
    assert await waiters.release("a") == "aabca"
    assert await waiters.release("b") == "aabca"  # two are held, and a holds one of them
    assert await waiters.release("c") == "aabcaa"


async def test_callers_with_many_requests_get_their_turns() -> None:
    """One that has just been served comes after another, not after all others."""
    waiters = Waiters(CallerSlots(1))
    assert await waiters.add("aaabca") == "a"
    for number in range(1, 6):
        assert len(await waiters.release(waiters.got[-1])) == number + 1
    assert waiters.got == "abacaa"


async def test_a_cancelled_caller_leaves_its_slot_to_the_next() -> None:
    """Also if it has just got it."""
    waiters = Waiters(CallerSlots(1))
    assert await waiters.add("abcd") == "a"
    waiters.tasks[1].cancel()
    assert await waiters.settled() == "a"
    waiters.slots.release("a")  # c has the slot now, and does not know yet
    waiters.tasks[2].cancel()
    assert await waiters.settled() == "ad"
    assert not waiters.slots.take("e")
    assert await waiters.release("d") == "ad"
    assert waiters.slots.take("e")
