"""Asking the storage of counts, with a bounded wait, and counting requests against rate limits."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from limits import RateLimitItem

from middleware.counting.storage import Storage, StorageFailed, Window
from middleware.endings import Ending, Endings
from middleware.errors import LimitStorageFailed, RateLimited
from middleware.log import entry
from middleware.ratelimit_headers import add_limit
from middleware.request_context import RequestContext

Result = TypeVar("Result")


@dataclass(slots=True)
class Outage:
    """A time in which the storage fails: its begin, ISO 8601 in UTC, and its failures so far."""

    since: str
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """One limit that a request counts against: policy name, limit, identifiers of the counter."""

    policy: str
    item: RateLimitItem
    identifiers: tuple[str, ...]

    @property
    def window(self) -> Window:
        """The window that counts it; another limit of the same policy has another one."""
        limit, seconds = self.item.amount, self.item.get_expiry()
        return Window("/".join(("window", *self.identifiers, str(limit), str(seconds))),
                      limit, seconds)  # fmt: skip


class Quota:
    """Counts in one storage; each request waits for it no longer than `wait_s` in all.

    While the storage fails, requests are allowed uncounted (`allow_on_failure`) or denied. Each
    failure is logged and counted in `failures`, the first count after them is logged. `hit` gets
    the policy of each limit that is exceeded, `failed` is called with each failure. `endings` ends
    what a request has begun.
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
        endings: Endings | None = None,
    ) -> None:
        self.storage = storage
        self.wait_s = wait_s
        self.allow_on_failure = allow_on_failure
        self.write = write
        self.hit = hit
        self.failed = failed
        # Not `or`: an Endings in which nothing waits is false.
        self.endings = Endings(wait_s=wait_s, write=write) if endings is None else endings
        self.failures = 0
        self._outage: Outage | None = None

    async def consume(self, context: RequestContext, charges: Sequence[Charge]) -> None:
        """Count one request against each of `charges`, and add the RateLimit response headers.

        Raises:
            RateLimited: a limit is exceeded; the charges before it stay counted.
            LimitStorageFailed: the storage failed and the policy is to deny.

        """
        if not charges:
            return
        windows = [charge.window for charge in charges]
        counted = await self.ask(context, lambda: self.storage.count(windows))
        for charge, state in zip(charges, counted or (), strict=False):
            reset_s = max(0, math.ceil(state.reset_s))
            limit, seconds = charge.item.amount, charge.item.get_expiry()
            add_limit(context, charge.policy, limit, state.remaining, window_s=seconds,
                      reset_s=reset_s)  # fmt: skip
            if not state.allowed:
                self.hit(charge.policy)
                raise RateLimited(charge.policy, limit, seconds, max(1, reset_s))

    async def ask(
        self, context: RequestContext, operation: Callable[[], Awaitable[Result]]
    ) -> Result | None:
        """Return what the storage answers; None if it fails and requests are allowed all the same.

        A storage that has failed a request is not asked again for it.

        Raises:
            LimitStorageFailed: the storage failed and the policy is to deny.

        """
        if not context.storage_failed:
            try:
                result = await self._within(context, operation)
            except (StorageFailed, TimeoutError) as error:
                context.storage_failed = True
                self._has_failed(error)
            else:
                self._has_counted()
                return result
        if self.allow_on_failure or not context.must_be_counted:
            return None
        raise LimitStorageFailed

    async def end(self, context: RequestContext, ending: Ending) -> object:
        """End something in what is left of the request's wait, or later; return the result, if any.

        Without a wait, a client that has its response would find its lease still held.
        """
        if context.storage_failed:
            self.endings.add(ending)
            return None
        try:
            return await self._within(context, ending.end)
        except BaseException as error:
            self.endings.add(ending)
            if isinstance(error, StorageFailed | TimeoutError):
                return None
            raise

    async def _within(
        self, context: RequestContext, operation: Callable[[], Awaitable[Result]]
    ) -> Result:
        began = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, self.wait_s - context.storage_waited_s)):
                return await operation()
        finally:
            context.storage_waited_s += time.monotonic() - began

    async def aclose(self) -> None:
        """Give the endings that wait a last chance, then close the connections."""
        await self.endings.aclose(self.wait_s)
        await self.storage.aclose()

    @property
    def policy(self) -> str:
        """What happens to requests while the storage fails: "allow" or "deny"."""
        return "allow" if self.allow_on_failure else "deny"

    async def reachable(self) -> bool:
        """Return whether the storage counts, and answers within `wait_s`."""
        try:
            async with asyncio.timeout(self.wait_s):
                await self.storage.check()
        except (StorageFailed, TimeoutError):
            return False
        return True

    def _has_failed(self, error: Exception) -> None:
        if self._outage is None:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._outage = Outage(now.replace("+00:00", "Z"))
        self._outage.failures += 1
        self.failures += 1
        self.failed()
        self.write(
            entry(
                event="limit_storage_failed",
                error=str(error) or type(error).__name__,
                policy=self.policy,
                failures=self.failures,
            )
        )

    def _has_counted(self) -> None:
        outage, self._outage = self._outage, None
        if outage is not None:
            self.write(
                entry(
                    event="limit_storage_recovered",
                    failures=outage.failures,
                    since=outage.since,
                )
            )
