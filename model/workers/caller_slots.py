"""Slots that callers wait for, and spare ones for callers that hold none."""

import asyncio
from collections import Counter


class CallerSlots:
    """`size` slots, and `spare` more, each for a caller that holds none.

    Of the callers that wait, the one that holds fewest is next; of several, the one that has waited
    longest, and last the one whose slot has become free. So a caller waits only for callers that
    hold no more than it does.
    """

    def __init__(self, size: int, spare: int = 0) -> None:
        self._size = size
        self._spare = spare
        self._held: Counter[str] = Counter()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []  # oldest first

    async def acquire(self, caller: str) -> None:
        """Wait for a slot and take it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((caller, future))
        self._serve()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # cancelled just after it got the slot
                self.release(caller)
            elif (caller, future) in self._waiting:
                self._waiting.remove((caller, future))
            raise

    def take(self, caller: str) -> bool:
        """Take a slot if one is free for this caller; return whether it did."""
        free = self._is_free_for(caller)
        if free:
            self._held[caller] += 1
        return free

    @property
    def spare_taken(self) -> bool:
        """Whether more slots are held than there are without the spare ones."""
        return self._held.total() > self._size

    def hand_over(self, caller: str, other: str) -> None:
        """Let another caller hold a slot of this one."""
        self._held[other] += 1
        self.release(caller)

    def release(self, caller: str) -> None:
        """Pass a slot on."""
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        self._serve(last=caller)

    def _serve(self, last: str | None = None) -> None:
        while allowed := [each for each in self._waiting if self._is_free_for(each[0])]:
            caller, future = taken = min(
                allowed, key=lambda each: (self._held[each[0]], each[0] == last)
            )
            self._waiting.remove(taken)
            if not future.cancelled() and self.take(caller):
                future.set_result(None)

    def _is_free_for(self, caller: str) -> bool:
        held = self._held.total()
        return held < self._size or (held < self._size + self._spare and not self._held[caller])
