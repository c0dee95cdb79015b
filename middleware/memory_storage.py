"""The limits' storage in this process, swept on a clock."""

import time

from limits.aio.storage import MemoryStorage

SWEEP_S = 1.0


class SweptMemoryStorage(MemoryStorage):
    """`limits`' own, with expired counts removed at most once a second.

    limits 5.8 goes through every key it holds after every single count, each with a hop to a
    thread: with a thousand addresses in the window a request costs a thousand hops, which an
    attacker with an IPv6 subnet or two can arrange. Overridden by its mangled name, as it is
    private; tests/middleware/test_memory_storage.py fails where limits has renamed it.
    """

    STORAGE_SCHEME = ["async+memory"]  # noqa: RUF012 - limits' own signature; replaces its entry
    _next_sweep = 0.0

    async def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP_S
            self._sweep(time.time())

    def _sweep(self, now: float) -> None:
        """Forget the counts that are past, newest first in a list; nothing awaits, so none races.

        A key in constant use has some that are past and some that are not.
        """
        for key, events in list(self.events.items()):
            while events and events[-1].expiry <= now:
                events.pop()
            if not events:
                del self.events[key]
                self.locks.pop(key, None)
        for key in [key for key, expiry in self.expirations.items() if expiry <= now]:
            del self.expirations[key]
            self.storage.pop(key, None)
            self.locks.pop(key, None)
