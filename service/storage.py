"""Opening the storage of the rate limits."""

from typing import cast

from limits.aio.storage import Storage
from limits.storage import storage_from_string

from middleware.memory_storage import SweptMemoryStorage
from middleware.quota import Quota
from service.log import log_event


async def report_unreachable(quota: Quota) -> None:
    """Log that the storage does not respond, if so, and what happens to requests meanwhile."""
    if not await quota.reachable():
        log_event(
            event="limit_storage_unreachable",
            policy=quota.policy,
            until="the storage responds; no restart is needed",
        )


def open_storage(uri: str, *, wait_s: float) -> Storage:
    """Return the storage at `uri`; it connects with the first count."""
    if uri.startswith("async+memory:"):
        return SweptMemoryStorage()
    storage = storage_from_string(
        uri,
        wrap_exceptions=True,
        implementation="redispy",
        # redis-py's own timeouts, so that the next request does not get a hung connection.
        socket_timeout=wait_s,
        socket_connect_timeout=wait_s,
    )
    return cast("Storage", storage)
