"""A budget of memory, in bytes, for the pages that are being decoded and read."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterator


class Reservation:
    """A part of a budget; its size may change. It ends with its `with` block."""

    def __init__(self, budget: "MemoryBudget") -> None:
        self._budget = budget
        self.size_bytes = 0
        self.waited_s = 0.0

    async def resize(self, size_bytes: int) -> None:
        """Give back what is not needed, or wait for more.

        What is reserved is given back before the wait, so that two that grow do not wait for each
        other. Nothing that needs the memory may be running then.
        """
        if size_bytes <= self.size_bytes:
            self._budget.give(self.size_bytes - size_bytes)
        else:
            self._budget.give(self.size_bytes)
            self.size_bytes = 0
            began = time.perf_counter()
            await self._budget.take(size_bytes)
            self.waited_s += time.perf_counter() - began
        self.size_bytes = size_bytes


class MemoryBudget:
    """`size_bytes` for all reservations together; first come, first served.

    A reservation of more than that gets all of it.
    """

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = self._free = size_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextlib.contextmanager
    def reservation(self) -> Iterator[Reservation]:
        """Hold a reservation of nothing yet."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self.give(reservation.size_bytes)

    async def take(self, size_bytes: int) -> None:
        """Wait until so much is free."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, future))
        self._serve()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # cancelled just after it got its bytes
                self.give(size_bytes)
            else:
                self._serve()
            raise

    def give(self, size_bytes: int) -> None:
        """Take bytes back, and serve those that wait."""
        self._free += size_bytes
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            size_bytes, future = self._waiting[0]
            if not future.cancelled():
                if self._free < min(size_bytes, self._size_bytes):
                    return
                self._free -= size_bytes
                future.set_result(None)
            self._waiting.popleft()
