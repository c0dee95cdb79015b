"""Several services that read the same files: which of them gets the next request."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sealed_ocr_client import retries
from sealed_ocr_client.errors import ConnectionLost, OcrError, Refused, Unreachable
from sealed_ocr_client.transport import Transport

LONGEST_REST_S = 60.0
PASSED_ON = frozenset({502, 503})  # by a proxy without a service, or by a service that is full


class _Service:
    """One service: its requests in progress, and its failures since the last response."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.requests = self.failures = 0
        self.rests_until = 0.0

    def available(self, now: float) -> bool:
        """Return whether it may get a request: one at a time, until one has succeeded again."""
        return self.rests_until <= now and (not self.failures or not self.requests)

    def rest(self, error: OcrError) -> None:
        """Give it no request for a time that doubles with each failure, or that it has named."""
        self.failures += 1
        rest_s = min(LONGEST_REST_S, retries.FIRST_WAIT_S * 2**self.failures)
        if isinstance(error, Refused) and error.retry_after_s is not None:
            rest_s = max(retries.FIRST_WAIT_S, error.retry_after_s)
        self.rests_until = time.monotonic() + rest_s


class Services:
    """The services of a client. `left_out` is called with the error when one does not respond."""

    def __init__(
        self, transports: Sequence[Transport], left_out: Callable[[OcrError], None]
    ) -> None:
        self._services = [_Service(each) for each in transports]
        self._left_out = left_out

    @contextmanager
    def one(self) -> Iterator[Transport]:
        """Hold the service that has the fewest requests, of those that respond.

        Raises:
            OcrError: what the caller raised; ConnectionLost for Unreachable if others may respond.

        """
        service = self._choose()
        service.requests += 1
        try:
            yield service.transport
        except OcrError as error:
            if _passed_on(error):
                self._rest(service, error)
            if isinstance(error, Unreachable) and not all(each.failures for each in self._services):
                raise ConnectionLost(str(error)) from None
            raise
        else:
            service.failures = 0
        finally:
            service.requests -= 1

    def another(self) -> bool:
        """Return whether a request that has failed may be sent to another service at once."""
        now = time.monotonic()
        return len(self._services) > 1 and any(each.available(now) for each in self._services)

    async def close(self) -> None:
        """Close the connections."""
        for each in self._services:
            await each.transport.close()

    def _choose(self) -> _Service:
        now = time.monotonic()
        available = [each for each in self._services if each.available(now)]
        if available:
            return min(available, key=lambda each: each.requests)
        return min(self._services, key=lambda each: each.rests_until)

    def _rest(self, service: _Service, error: OcrError) -> None:
        if not service.failures and not isinstance(error, Refused) and len(self._services) > 1:
            self._left_out(error)
        service.rest(error)


def _passed_on(error: OcrError) -> bool:
    """Return whether another service may read the file that this one has not read."""
    if isinstance(error, Refused):
        known = retries.RETRIED_ONCE | retries.NOT_RETRIED
        return error.status in PASSED_ON and error.code not in known
    return isinstance(error, ConnectionLost | Unreachable)
