"""Counts in a redis, shared by processes and machines."""

import asyncio
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from middleware.counting import redis_scripts
from middleware.counting.storage import Charged, Counted, Lease, Period, StorageFailed, Window

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.sentinel import Sentinel
    from redis.commands.core import AsyncScript

PREFIX = "sealed-ocr:"
MOST_CONNECTIONS = 32
UNEXPECTED = "UnexpectedResponse"
PERIOD_MARGIN_S = 3600  # a counter outlives its period, should redis's clock be ahead of ours


class RedisStorage:
    """Counts by scripts in one redis, over at most MOST_CONNECTIONS connections.

    More requests than that wait for a connection: a redis that hangs costs no more sockets.
    """

    def __init__(self, client: "Redis", sentinel: "Sentinel | None" = None) -> None:
        self._client = client
        self._sentinel = sentinel
        self._free = asyncio.Semaphore(MOST_CONNECTIONS)
        self._count = client.register_script(redis_scripts.COUNT)
        self._charge = client.register_script(redis_scripts.CHARGE)
        self._give_back = client.register_script(redis_scripts.GIVE_BACK)
        self._lease = client.register_script(redis_scripts.LEASE)
        self._release = client.register_script(redis_scripts.RELEASE)

    async def count(self, windows: Sequence[Window]) -> list[Counted]:
        """Count a request in each window, up to the first one that has no room."""
        arguments = [each for window in windows for each in (window.limit, window.seconds)]
        keys = [window.key for window in windows]
        lengths = range(3, 3 * len(windows) + 1, 3)
        found = await self._run(self._count, keys, arguments, lengths=lengths)
        return [
            Counted(bool(found[at]), max(0, found[at + 1]), found[at + 2] / 1e6)
            for at in range(0, len(found), 3)
        ]

    async def charge(
        self, charge_id: str, part: int, pages: int, periods: Sequence[Period], *, keep_s: int
    ) -> Charged:
        """Charge pages in all periods, or in none if one has no room."""
        ends = [
            each for period in periods for each in (period.quota, period.ends_at + PERIOD_MARGIN_S)
        ]
        keys = _charge_keys(charge_id, periods)
        arguments = [part, pages, keep_s, *ends]
        found = await self._run(self._charge, keys, arguments, lengths=[1 + len(periods)])
        if found[0] == -1:
            raise StorageFailed("ChargeEnded")
        if not 0 <= found[0] <= len(periods):
            raise StorageFailed(UNEXPECTED)
        return Charged(found[1:], found[0] - 1 if found[0] else None)

    async def give_back(
        self, charge_id: str, pages: int, periods: Sequence[Period], *, keep_s: int
    ) -> Charged:
        """End a charge, and take back so many of its pages."""
        keys = _charge_keys(charge_id, periods)
        lengths = [1 + len(periods)]
        found = await self._run(self._give_back, keys, [pages, keep_s], lengths=lengths)
        return Charged(found[1:])

    async def lease(self, lease: Lease) -> tuple[bool, int]:
        """Begin a lease if there is room; return whether, and how many are held then."""
        arguments: list[int | str] = [lease.id, lease.limit, lease.seconds]
        held, number = await self._run(self._lease, _lease_keys(lease), arguments, lengths=[2])
        return bool(held), number

    async def release(self, lease: Lease) -> None:
        """End a lease."""
        arguments: list[int | str] = [lease.id, lease.seconds]
        await self._run(self._release, _lease_keys(lease), arguments, lengths=[0])

    async def check(self) -> None:
        """Raise StorageFailed unless it counts now: a replica or a full redis does not."""
        await self.count([Window("check", 1_000_000, 1)])

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()
        if self._sentinel is not None:
            await self._sentinel.aclose()

    async def _run(
        self,
        script: "AsyncScript",
        keys: Sequence[str],
        arguments: Sequence[int | str],
        *,
        lengths: Collection[int],
    ) -> list[int]:
        try:
            async with self._free:
                found: object = await script([PREFIX + key for key in keys], arguments)
        # The last two are raised by redis-py where what responds is no redis.
        except (RedisError, OSError, ValueError, RecursionError) as error:
            raise StorageFailed(type(error).__name__) from error
        if not isinstance(found, list) or not all(isinstance(each, int) for each in found):
            raise StorageFailed(UNEXPECTED)
        if len(found) not in lengths:
            raise StorageFailed(UNEXPECTED)
        return found


def _charge_keys(charge_id: str, periods: Sequence[Period]) -> list[str]:
    return [f"charge/{charge_id}", *(period.key for period in periods)]


def _lease_keys(lease: Lease) -> list[str]:
    return [lease.key, f"ended/{lease.id}"]
