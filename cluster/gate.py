"""Which pages of a worker may be read at the same time: any number together, or one alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Lets readings through together, and one that has to be alone when all others have ended."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._together = 0
        self._alone = False
        self._wanted = 0

    @asynccontextmanager
    async def open(self, *, alone: bool) -> AsyncIterator[None]:
        """Hold a place: the only one, or one of many. Those who have to be alone go first."""
        async with self._changed:
            if alone:
                self._wanted += 1
                try:
                    await self._changed.wait_for(lambda: not (self._alone or self._together))
                finally:
                    self._wanted -= 1
                    self._changed.notify_all()
                self._alone = True
            else:
                await self._changed.wait_for(lambda: not (self._alone or self._wanted))
                self._together += 1
        try:
            yield
        finally:
            async with self._changed:
                if alone:
                    self._alone = False
                else:
                    self._together -= 1
                self._changed.notify_all()
