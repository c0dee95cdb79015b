"""A semaphore with a fair queue: callers that wait get their turns round-robin."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class Turn:
    """One turn of a FairSemaphore; it ends with its `async with` block or an earlier release()."""

    def __init__(self, semaphore: "FairSemaphore") -> None:
        self._semaphore = semaphore
        self._held = True

    def release(self) -> None:
        """Pass the turn on; a second call does nothing."""
        if self._held:
            self._held = False
            self._semaphore.pass_on()


class FairSemaphore:
    """At most `size` turns at a time. Waiting callers are served in rounds, one turn of each.

    Source: Nagle, RFC 970, On Packet Switches With Infinite Storage, 1985 (fair queueing).
    """

    def __init__(self, size: int) -> None:
        self._free = size
        # The first caller is next; each has the futures of its waiting turns, oldest first.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @contextlib.asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[Turn]:
        """Wait for a turn and hold it."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(caller)
        turn = Turn(self)
        try:
            yield turn
        finally:
            turn.release()

    def pass_on(self) -> None:
        """Give a turn that has ended to the next caller, skipping those that were cancelled."""
        while self._waiting:
            caller, futures = next(iter(self._waiting.items()))
            del self._waiting[caller]
            future = futures.popleft()
            if futures:  # the caller's next turn comes after all others
                self._waiting[caller] = futures
            if not future.cancelled():
                future.set_result(None)
                return
        self._free += 1

    async def _wait(self, caller: str) -> None:
        """Return when it is the caller's turn."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # cancelled just after it got the turn
                self.pass_on()
            raise
