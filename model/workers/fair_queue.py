"""A semaphore that is fair between callers: whoever asks for much waits for their own."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class FairSemaphore:
    """At most `size` turns at a time; callers that wait are served one after the other, in rounds.

    Source: Nagle, RFC 970, On Packet Switches With Infinite Storage, 1985 (fair queueing).
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # whose turn is next: first

    @contextlib.asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Hold a turn, after waiting for it."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(caller)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, caller: str) -> None:
        """Return when it is the caller's turn."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # given at the moment of leaving
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give a turn to the caller who is next; those who left are passed over."""
        while self._waiting:
            caller, futures = next(iter(self._waiting.items()))
            del self._waiting[caller]
            future = futures.popleft()
            if futures:  # behind all others
                self._waiting[caller] = futures
            if not future.cancelled():
                future.set_result(None)
                return
        self._free += 1
