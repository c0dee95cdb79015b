"""Counting: `limits` does the arithmetic; here are the names, the wait and the headers."""

import asyncio
import ipaddress
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

IPV6_SITE_BITS = 64  # what a provider gives one customer; a single address costs nothing to change


@dataclass(frozen=True, slots=True)
class Charge:
    """One limit that a request counts against: the policy's name, its size, whose count it is."""

    policy: str
    item: RateLimitItem
    whose: tuple[str, ...]


class Quota:
    """Takes charges from one storage, waiting for it no longer than `wait_s`.

    A storage that is down or hung is answered by the policy: let through (`allow_on_failure`) or
    refused. Each such failure is logged and counted in `failures`.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        wait_s: float,
        allow_on_failure: bool,
        write: Callable[[str], None],
    ) -> None:
        self.storage = storage
        self.strategy = MovingWindowRateLimiter(storage)
        self.wait_s = wait_s
        self.allow_on_failure = allow_on_failure
        self.write = write
        self.failures = 0

    async def take(self, context: RequestContext, charges: Sequence[Charge]) -> None:
        """Count one request against each of `charges` and note the headers that tell of it.

        Raises:
            RateLimited: a limit is used up; what the earlier charges took stays taken.
            LimitStorageFailed: the storage failed and the policy is to deny.

        """
        try:
            async with asyncio.timeout(self.wait_s):
                for charge in charges:
                    allowed = await self.strategy.hit(charge.item, *charge.whose)
                    window = await self.strategy.get_window_stats(charge.item, *charge.whose)
                    reset_s = max(0, math.ceil(window.reset_time - time.time()))
                    _note(context, charge, window.remaining, reset_s)
                    if not allowed:
                        raise RateLimited(max(1, reset_s))
        except (StorageError, OSError, TimeoutError) as error:
            self.failures += 1
            self._log_failure(error)
            if not self.allow_on_failure:
                raise LimitStorageFailed from error

    async def reachable(self) -> bool:
        """Whether the storage answers within the wait."""
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
                policy="allow" if self.allow_on_failure else "deny",
                failures=self.failures,
            )
        )


def subnet_of(address: str) -> str:
    """Return what one caller is counted by: an IPv4 address, or an IPv6 /64 subnet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:  # noqa: PLR2004 - IPv4
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, IPV6_SITE_BITS), strict=False))


def _note(context: RequestContext, charge: Charge, remaining: int, reset_s: int) -> None:
    """Add to RateLimit-Policy and RateLimit, which are lists: a line each is the same list.

    Source: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4.
    """
    item = charge.item
    context.headers += [
        (
            b"ratelimit-policy",
            f'"{charge.policy}";q={item.amount};w={item.get_expiry()}'.encode(),
        ),
        (b"ratelimit", f'"{charge.policy}";r={max(0, remaining)};t={reset_s}'.encode()),
    ]
