"""A limit on what is under way at the same time; it may change meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Limit:
    """Lets in what fits below `most`; what alone is larger goes in when nothing else is in."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._changed = asyncio.Condition()

    async def set(self, most: int) -> None:
        """Change the limit."""
        async with self._changed:
            self._most = most
            self._changed.notify_all()

    async def take(self, amount: int = 1) -> None:
        """Wait for room, and take it."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: not self._used or self._used + amount <= self._most
            )
            self._used += amount

    async def give_back(self, amount: int = 1) -> None:
        """Make room again."""
        async with self._changed:
            self._used -= amount
            self._changed.notify_all()

    @asynccontextmanager
    async def taken(self, amount: int = 1) -> AsyncIterator[None]:
        """Hold a part of it."""
        await self.take(amount)
        try:
            yield
        finally:
            await asyncio.shield(self.give_back(amount))
