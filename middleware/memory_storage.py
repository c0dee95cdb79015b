"""The limits' storage in this process, swept on a clock."""

import time

from limits.aio.storage import MemoryStorage
from limits.aio.storage.memory import Entry

SWEEP_S = 1.0


class SweptMemoryStorage(MemoryStorage):
    """`limits`' own, with expired counts removed at most once a second.

    limits 5.8 goes through every key it holds after every single count, each with a hop to a
    thread: with a thousand addresses in the window a request costs a thousand hops, which an
    attacker with an IPv6 network or two can arrange. Overridden by its mangled name, as it is
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
        """Forget every key whose newest count has expired; nothing awaits, so nothing races."""
        for key in [key for key, events in self.events.items() if _expired(events, now)]:
            del self.events[key]
            self.locks.pop(key, None)
        for key in [key for key, expiry in self.expirations.items() if expiry <= now]:
            del self.expirations[key]
            self.storage.pop(key, None)
            self.locks.pop(key, None)


def _expired(events: list[Entry], now: float) -> bool:
    """Whether all of a key's counts, newest first, are past."""
    return not events or events[0].expiry <= now
