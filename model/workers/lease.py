"""A slot of a pool of child processes, while it is held."""

from collections.abc import Callable, Coroutine

from model.workers.child import Child


class Lease:
    """A slot of the pool for one caller: with an idle child, or without one yet."""

    def __init__(
        self, start: Callable[[], Coroutine[None, None, Child]], idle: Child | None
    ) -> None:
        self._start = start
        self.child = idle

    async def worker(self) -> Child:
        """Return the slot's child; start one if there is none.

        Raises:
            ReaderDied: the child did not start, or the pool is closed.
            WeightsError: the child found missing or different weights.

        """
        if self.child is None or not self.child.alive:
            self.child = await self._start()
        return self.child
