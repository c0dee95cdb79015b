"""Counts in the memory of this process."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from middleware.counting.storage import Charged, Counted, Lease, Period, StorageFailed, Window

SWEEP_S = 1.0


@dataclass(slots=True)
class _Times:
    """The times of the requests counted under one key, oldest first; each counts for `seconds`."""

    seconds: int
    times: deque[float] = field(default_factory=deque)

    def expire(self, now: float) -> None:
        """Remove the times that are out of the window."""
        while self.times and self.times[0] < now - self.seconds:
            self.times.popleft()


@dataclass(slots=True)
class _Receipt:
    """The parts of one charge, which can be given back until `until`."""

    until: float
    parts: dict[int, int] = field(default_factory=dict)
    ended: bool = False


class MemoryStorage:
    """Counts that end with this process; what has expired is removed at most once a second.

    No method waits for anything, so each is one step. Only the ends of periods are compared with
    the clock that can be set: one that is set back would keep requests in their windows.
    """

    def __init__(self) -> None:
        self._windows: dict[str, _Times] = {}
        self._pages: dict[str, tuple[int, int]] = {}  # used, end of the period
        self._receipts: dict[str, _Receipt] = {}
        self._leases: dict[str, dict[str, float]] = {}  # the end of each, by its id
        self._next_sweep = 0.0

    def __len__(self) -> int:
        """Return how many keys are held."""
        return len(self._windows) + len(self._pages) + len(self._receipts) + len(self._leases)

    async def count(self, windows: Sequence[Window]) -> list[Counted]:
        """Count a request in each window, up to the first one that has no room."""
        self._sweep()
        now = time.monotonic()
        counted = []
        for window in windows:
            held = self._windows.setdefault(window.key, _Times(window.seconds))
            held.expire(now)
            allowed = len(held.times) < window.limit
            if allowed:
                held.times.append(now)
            remaining = max(0, window.limit - len(held.times))
            counted.append(Counted(allowed, remaining, held.times[0] + window.seconds - now))
            if not allowed:
                break
        return counted

    async def charge(
        self, charge_id: str, part: int, pages: int, periods: Sequence[Period], *, keep_s: int
    ) -> Charged:
        """Charge pages in all periods, or in none if one has no room."""
        self._sweep()
        used = self._used(periods)
        receipt = self._receipts.setdefault(charge_id, _Receipt(time.monotonic() + keep_s))
        if receipt.ended:
            raise StorageFailed("ChargeEnded")
        if part in receipt.parts:
            return Charged(used)
        for number, period in enumerate(periods):
            if used[number] + pages > period.quota:
                return Charged(used, number)
        receipt.parts[part] = pages
        self._add(periods, pages)
        return Charged(self._used(periods))

    async def give_back(
        self, charge_id: str, pages: int, periods: Sequence[Period], *, keep_s: int
    ) -> Charged:
        """End a charge, and take back so many of its pages."""
        receipt = self._receipts.setdefault(charge_id, _Receipt(time.monotonic() + keep_s))
        if not receipt.ended:
            receipt.ended = True
            self._add(periods, -min(pages, sum(receipt.parts.values())))
        return Charged(self._used(periods))

    async def lease(self, lease: Lease) -> tuple[bool, int]:
        """Begin a lease if there is room; return whether, and how many are held then."""
        self._sweep()
        now = time.monotonic()
        held = self._leases.setdefault(lease.key, {})
        for each in [each for each, ends_at in held.items() if ends_at <= now]:
            del held[each]
        if lease.id not in held and len(held) < lease.limit:
            held[lease.id] = now + lease.seconds
        return lease.id in held, len(held)

    async def release(self, lease: Lease) -> None:
        """End a lease."""
        self._leases.get(lease.key, {}).pop(lease.id, None)

    async def check(self) -> None:
        """Do nothing: memory always counts."""

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""

    def _used(self, periods: Sequence[Period]) -> list[int]:
        return [self._pages.get(period.key, (0, 0))[0] for period in periods]

    def _add(self, periods: Sequence[Period], pages: int) -> None:
        for period, used in zip(periods, self._used(periods), strict=True):
            self._pages[period.key] = (max(0, used + pages), period.ends_at)

    def _sweep(self) -> None:
        """Remove what has expired, at most every SWEEP_S seconds."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_S
        for window in self._windows.values():
            window.expire(now)
        self._windows = {key: each for key, each in self._windows.items() if each.times}
        self._pages = {key: each for key, each in self._pages.items() if each[1] > time.time()}
        self._receipts = {key: each for key, each in self._receipts.items() if each.until > now}
        self._leases = {key: each for key, each in self._leases.items() if each}
