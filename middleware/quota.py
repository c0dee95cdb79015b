"""Counting requests against rate limits, with a bounded wait for the storage."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from limits import RateLimitItem
from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from middleware.errors import LimitStorageFailed, RateLimited
from middleware.log import entry
from middleware.request_context import RequestContext


@dataclass(frozen=True, slots=True)
class Charge:
    """One limit that a request counts against: policy name, limit, identifiers of the counter."""

    policy: str
    item: RateLimitItem
    identifiers: tuple[str, ...]


class Quota:
    """Counts requests in one storage, waiting for it no longer than `wait_s`.

    While the storage fails, requests are allowed uncounted (`allow_on_failure`) or denied. Each
    failure is logged and counted in `failures`. `hit` gets the policy of each limit that is
    exceeded, `failed` is called with each failure.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        wait_s: float,
        allow_on_failure: bool,
        write: Callable[[str], None],
        hit: Callable[[str], object] = lambda _policy: None,
        failed: Callable[[], object] = lambda: None,
    ) -> None:
        self.storage = storage
        self.strategy = MovingWindowRateLimiter(storage)
        self.wait_s = wait_s
        self.allow_on_failure = allow_on_failure
        self.write = write
        self.hit = hit
        self.failed = failed
        self.failures = 0

    async def consume(self, context: RequestContext, charges: Sequence[Charge]) -> None:
        """Count one request against each of `charges`, and add the RateLimit response headers.

        Raises:
            RateLimited: a limit is exceeded; the charges before it stay counted.
            LimitStorageFailed: the storage failed and the policy is to deny.

        """
        try:
            async with asyncio.timeout(self.wait_s):
                for charge in charges:
                    allowed = await self.strategy.hit(charge.item, *charge.identifiers)
                    window = await self.strategy.get_window_stats(charge.item, *charge.identifiers)
                    reset_s = max(0, math.ceil(window.reset_time - time.time()))
                    _add_headers(context, charge, window.remaining, reset_s)
                    if not allowed:
                        self.hit(charge.policy)
                        raise RateLimited(max(1, reset_s))
        except (StorageError, OSError, TimeoutError) as error:
            self.failures += 1
            self.failed()
            self._log_failure(error)
            if not self.allow_on_failure:
                raise LimitStorageFailed from error

    @property
    def policy(self) -> str:
        """What happens to requests while the storage fails: "allow" or "deny"."""
        return "allow" if self.allow_on_failure else "deny"

    async def reachable(self) -> bool:
        """Return whether the storage answers within `wait_s`."""
        try:
            async with asyncio.timeout(self.wait_s):
                return bool(await self.storage.check())
        except (StorageError, OSError, TimeoutError):
            return False

    def _log_failure(self, error: Exception) -> None:
        self.write(
            entry(
                event="limit_storage_failed",
                error=type(error).__name__,
                policy=self.policy,
                failures=self.failures,
            )
        )


def _add_headers(context: RequestContext, charge: Charge, remaining: int, reset_s: int) -> None:
    """Add an item to RateLimit-Policy and RateLimit; both are lists, so lines may repeat.

    Source: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4.
    """
    item = charge.item
    context.response_headers += [
        (
            b"ratelimit-policy",
            f'"{charge.policy}";q={item.amount};w={item.get_expiry()}'.encode(),
        ),
        (b"ratelimit", f'"{charge.policy}";r={max(0, remaining)};t={reset_s}'.encode()),
    ]
