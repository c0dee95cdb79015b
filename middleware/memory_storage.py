"""Rate-limit counters in the memory of this process."""

import time
from collections import deque
from dataclasses import dataclass, field

from limits.aio.storage import MovingWindowSupport, Storage

SWEEP_S = 1.0


@dataclass(slots=True)
class _Window:
    """The times of the requests counted under one key, oldest first; each counts for `expiry`."""

    expiry: int
    times: deque[float] = field(default_factory=deque)

    def expire(self, now: float) -> None:
        """Remove the times that are out of the window."""
        while self.times and self.times[0] < now - self.expiry:
            self.times.popleft()


class SweptMemoryStorage(Storage, MovingWindowSupport):
    """Moving windows in memory; expired keys are removed at most once a second.

    limits 5.8's own MemoryStorage goes through all its keys after every count, with one hop to a
    thread per key: with a thousand addresses in the window a request costs a thousand hops, which
    an attacker with a few IPv6 subnets can cause.
    """

    STORAGE_SCHEME = None  # opened by service/storage.py, not by limits' registry of schemes

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, _Window] = {}
        self._next_sweep = 0.0

    def __len__(self) -> int:
        """Return how many keys are held."""
        return len(self._windows)

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Return the exceptions of a failing backend; memory has none."""
        return ()

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` requests under `key` if that keeps it within `limit`; return whether."""
        self._sweep()
        now = time.time()
        window = self._windows.setdefault(key, _Window(expiry))
        window.expire(now)
        if len(window.times) + amount > limit:
            return False
        window.times.extend([now] * amount)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """Return the time of the window's oldest request, now where it has none, and the count."""
        now = time.time()
        window = self._windows.get(key)
        if window is None:
            return now, 0
        window.expire(now)
        return (window.times[0], len(window.times)) if window.times else (now, 0)

    async def check(self) -> bool:
        """Return True: memory is always reachable."""
        return True

    async def clear(self, key: str) -> None:
        """Forget the requests counted under `key`."""
        self._windows.pop(key, None)

    async def reset(self) -> int:
        """Forget all requests; return how many keys were held."""
        held = len(self._windows)
        self._windows.clear()
        return held

    # Storage requires the methods of fixed windows, which this service does not use.

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Reject fixed windows."""
        raise NotImplementedError

    async def get(self, key: str) -> int:
        """Reject fixed windows."""
        raise NotImplementedError

    async def get_expiry(self, key: str) -> float:
        """Reject fixed windows."""
        raise NotImplementedError

    def _sweep(self) -> None:
        """Remove the keys that have expired, at most every SWEEP_S seconds."""
        if time.monotonic() < self._next_sweep:
            return
        self._next_sweep = time.monotonic() + SWEEP_S
        now = time.time()
        for key, window in list(self._windows.items()):
            window.expire(now)
            if not window.times:
                del self._windows[key]
