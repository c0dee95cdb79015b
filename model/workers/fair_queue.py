"""A semaphore with a fair queue: of the callers that wait, the one that has used least is next."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

EXPECTED_S = 1.0  # of processor time a turn, until it is known what it used


class Turn:
    """One turn of a FairSemaphore; it ends with its `async with` block or an earlier release()."""

    def __init__(self, semaphore: "FairSemaphore", caller: str) -> None:
        self._semaphore = semaphore
        self._prepaid_s = EXPECTED_S
        self._held = True
        self.caller = caller
        self.slow = False

    def charge(self, seconds: float) -> None:
        """Count processor time against the caller, also when the turn has ended."""
        prepaid = min(self._prepaid_s, seconds)
        self._prepaid_s -= prepaid
        self._semaphore.charge(self.caller, seconds - prepaid)

    def mark_slow(self) -> None:
        """Let another caller have a turn beside this one, if only slow turns are held.

        It takes long to decode, or waits for an engine.
        """
        self.slow = True
        self._semaphore.serve()

    def release(self) -> None:
        """Pass the turn on; a second call does nothing."""
        if self._held:
            self._held = False
            self._semaphore.take_back(self)

    def settle(self) -> None:
        """Pass the turn on, and return what it has not used of the expected time."""
        self._semaphore.charge(self.caller, -self._prepaid_s)
        self._prepaid_s = 0
        self.release()


class FairSemaphore:
    """At most `size` turns at a time, and one more for a caller that holds none if all are slow.

    Each caller has a tag: the virtual time at which its next turn begins. It grows with the
    processor time that the caller uses; the lowest tag is served first. Virtual time is the lowest
    tag when a turn was last given, and no tag is below it, so time not used is not saved up.
    Source: Goyal, Vin, Cheng, Start-time Fair Queuing, 1996.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: set[Turn] = set()
        self._virtual_s = 0.0
        self._tags: dict[str, float] = {}  # of the callers that are ahead of virtual time
        # Each caller has the futures of its waiting turns, oldest first. Of equal tags the first
        # caller is served first.
        self._waiting: dict[str, deque[asyncio.Future[Turn]]] = {}

    @contextlib.asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[Turn]:
        """Wait for a turn and hold it."""
        turn = await self._wait(caller)
        try:
            yield turn
        finally:
            turn.settle()

    def charge(self, caller: str, seconds: float) -> None:
        """Move the caller's next turn by so much virtual time."""
        self._tags[caller] = self._tag(caller) + seconds

    def take_back(self, turn: Turn) -> None:
        """Give a turn that has ended to the next caller."""
        self._held.remove(turn)
        self.serve()

    def serve(self) -> None:
        """Give the free turns to the waiting callers."""
        while (caller := self._next()) is not None:
            futures = self._waiting.pop(caller)
            future = futures.popleft()
            if futures:  # of callers with equal tags, this one is last now
                self._waiting[caller] = futures
            if not future.cancelled():
                future.set_result(self._grant(caller))
        if not self._held and not self._waiting:  # nobody competes: all debts are forgiven
            self._tags.clear()

    def _grant(self, caller: str) -> Turn:
        # A caller may be served before its time, because those before it hold all slow turns.
        self._virtual_s = min(map(self._tag, (caller, *self._waiting)))
        self._tags = {each: tag for each, tag in self._tags.items() if tag > self._virtual_s}
        self.charge(caller, EXPECTED_S)
        turn = Turn(self, caller)
        self._held.add(turn)
        return turn

    def _next(self) -> str | None:
        """Return the caller whose turn it is, if there is a turn for one."""
        holders: set[str] = set()
        if len(self._held) >= self._size:
            if len(self._held) > self._size or not all(turn.slow for turn in self._held):
                return None
            holders = {turn.caller for turn in self._held}
        allowed = [caller for caller in self._waiting if caller not in holders]
        return min(allowed, key=self._tag, default=None)

    def _tag(self, caller: str) -> float:
        return max(self._tags.get(caller, 0.0), self._virtual_s)

    async def _wait(self, caller: str) -> Turn:
        """Return the turn when it is the caller's."""
        future: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(future)
        self.serve()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # cancelled just after it got the turn
                future.result().settle()
            raise
