"""A timer for the time in which nothing happens."""

import asyncio
from collections.abc import Callable, Coroutine


class IdleTimer:
    """Runs `expired` when so many seconds have passed without a restart; 0: never."""

    def __init__(self, seconds: float, expired: Callable[[], Coroutine[None, None, None]]) -> None:
        self._seconds = seconds
        self._expired = expired
        self._handle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def runs(self) -> bool:
        """Whether the time has begun and was not stopped."""
        return self._handle is not None

    def restart(self) -> None:
        """Begin the time again."""
        self.cancel()
        if self._seconds > 0:
            self._handle = asyncio.get_running_loop().call_later(self._seconds, self._run)

    def cancel(self) -> None:
        """Stop the time; what runs already goes on."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    async def aclose(self) -> None:
        """Stop the time, and wait for what runs already."""
        self.cancel()
        if self._task is not None:
            await self._task

    def _run(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._expired())
