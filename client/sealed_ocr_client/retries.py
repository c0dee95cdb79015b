"""When a request is sent again, and how long to wait until then."""

import asyncio
import random
import time
from collections.abc import Callable

from sealed_ocr_client.errors import ConnectionLost, OcrError, Refused, Unreachable

RETRIED = frozenset({429, 502, 503, 504})
# Of these one retry is enough: a file that ends the reading process would end the next one, too.
RETRIED_ONCE = frozenset({"reader_died", "deadline_exceeded"})
# An operator has to act first.
NOT_RETRIED = frozenset({"weights_missing", "reading_timeout"})
# Counted for a key, wherever its requests go: another service would refuse them, too.
OF_THE_KEY = frozenset({"rate_limited", "page_quota_used_up", "too_many_concurrent_requests"})
FIRST_WAIT_S = 0.5
_random = random.SystemRandom()


class Gate:
    """No request of a client starts before a time that the service has named."""

    def __init__(self) -> None:
        self._opens_at = 0.0

    def close_for(self, seconds: float) -> None:
        """Let no request start for so long."""
        self._opens_at = max(self._opens_at, time.monotonic() + seconds)

    async def passed(self) -> None:
        """Wait until requests may start."""
        left_s = self._opens_at - time.monotonic()
        if left_s > 0:
            await asyncio.sleep(left_s + _random.uniform(0, 0.2))


class Patience:
    """Waits after the failures of one file: `retries` times without progress in between.

    A wait longer than `max_wait_s` is not made: the error is raised instead. `another` returns
    whether another service can be asked at once.
    """

    def __init__(
        self,
        gate: Gate,
        another: Callable[[], bool],
        *,
        retries: int,
        max_wait_s: float,
        waiting: Callable[[float, OcrError], None],
    ) -> None:
        self._gate = gate
        self._another = another
        self._retries = retries
        self._max_wait_s = max_wait_s
        self._waiting = waiting
        self._failures = 0

    def progress(self) -> None:
        """Count from zero again: a page has come."""
        self._failures = 0

    async def pause(self, error: OcrError, *, once: bool = False) -> None:
        """Wait before the next attempt, unless another service can be asked at once.

        With `once` there is no other attempt after it.

        Raises:
            OcrError: `error`: another attempt would fail, too, or there were enough.

        """
        once = once or _code(error) in RETRIED_ONCE
        retries = min(self._retries, 1) if once else self._retries
        if not _passing(error) or self._failures >= retries:
            raise error
        self._failures += 1
        if _code(error) not in OF_THE_KEY and self._another():
            return
        asked_s = error.retry_after_s if isinstance(error, Refused) else None
        if asked_s is not None and asked_s > self._max_wait_s:
            raise error
        if asked_s is None:
            longest_s = min(self._max_wait_s, FIRST_WAIT_S * 2**self._failures)
            wait_s = _random.uniform(longest_s / 2, longest_s)
        else:
            wait_s = asked_s + _random.uniform(0, 0.5 + asked_s / 10)
        self._waiting(wait_s, error)
        if isinstance(error, Refused) and error.code == "rate_limited":
            self._gate.close_for(wait_s)
        else:
            await asyncio.sleep(wait_s)


def _passing(error: OcrError) -> bool:
    """Return whether the same request may succeed later."""
    if isinstance(error, Refused):
        return error.status in RETRIED and error.code not in NOT_RETRIED
    return isinstance(error, ConnectionLost | Unreachable)


def _code(error: OcrError) -> str:
    return error.code if isinstance(error, Refused) else ""
