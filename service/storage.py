"""Opening the storage of the rate limits."""

from typing import cast

from limits.aio.storage import Storage
from limits.storage import storage_from_string

from middleware.memory_storage import SweptMemoryStorage
from middleware.quota import Quota
from service.log import log_event
from service.start_refused import StartRefused


async def report_unreachable(quota: Quota) -> None:
    """Log that the storage does not respond, if so, and what happens to requests meanwhile."""
    if not await quota.reachable():
        log_event(
            event="limit_storage_unreachable",
            policy=quota.policy,
            until="the storage responds; no restart is needed",
        )


class StorageError(StartRefused):
    """The storage's URL cannot be used; the message does not show it, since it has a password."""

    locs = (("limits", "storage"),)


def open_storage(uri: str, *, wait_s: float) -> Storage:
    """Return the storage at `uri`; it connects with the first count.

    Raises:
        StorageError: the URL cannot be used.

    """
    if uri.startswith("async+memory:"):
        return SweptMemoryStorage()
    try:
        storage = storage_from_string(
            uri,
            wrap_exceptions=True,
            implementation="redispy",
            # redis-py's own timeouts, so that the next request does not get a hung connection.
            socket_timeout=wait_s,
            socket_connect_timeout=wait_s,
        )
    except Exception as error:  # noqa: BLE001 - redis-py's, whose text may hold the password
        raise StorageError(
            f"the URL cannot be used ({type(error).__name__}); write it as "
            "async+redis://:PASSWORD@HOST:PORT/DATABASE"
        ) from None
    return cast("Storage", storage)
