"""What requests have begun in the storage and could not end: done in the background."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from middleware.counting.storage import StorageFailed
from middleware.log import entry

MOST_WAITING = 10_000
PATIENCE_S = 300.0  # an ending is tried again for so long
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a charge or lease: `amount` pages or leases; `end` may be called repeatedly."""

    what: str  # "pages" or "leases"
    amount: int
    end: Callable[[], Awaitable[object]]


class Endings:
    """Ends things one after the other, oldest first, and tries again while the storage fails.

    What has failed for PATIENCE_S, or finds MOST_WAITING before it, is lost: logged, and passed to
    `lost`. A lease that is lost ends by itself.
    """

    def __init__(
        self,
        *,
        wait_s: float,
        write: Callable[[str], None],
        lost: Callable[[str, int], object] = lambda _what, _amount: None,
    ) -> None:
        self._wait_s = wait_s
        self._write = write
        self._lost = lost
        self._waiting: deque[tuple[Ending, float]] = deque()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def add(self, ending: Ending) -> None:
        """End something soon."""
        if len(self._waiting) >= MOST_WAITING:
            self._lose(ending, "TooManyWaiting")
            return
        loop = asyncio.get_running_loop()
        self._waiting.append((ending, loop.time() + PATIENCE_S))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work())

    async def aclose(self, within_s: float) -> None:
        """Wait for the rest, but no longer than `within_s`; what is left is lost."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=within_s)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        while self._waiting:
            self._lose(self._waiting.popleft()[0], "Stopped")

    async def _work(self) -> None:
        pause_s = FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while self._waiting:
            ending, until = self._waiting[0]
            try:
                async with asyncio.timeout(self._wait_s):
                    await ending.end()
            except (StorageFailed, TimeoutError) as error:
                if loop.time() < until:
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                    continue
                self._lose(ending, str(error) or type(error).__name__)
            else:
                pause_s = FIRST_PAUSE_S
            self._waiting.popleft()

    def _lose(self, ending: Ending, reason: str) -> None:
        self._lost(ending.what, ending.amount)
        self._write(
            entry(
                event="limit_not_given_back", what=ending.what, amount=ending.amount, error=reason
            )
        )
