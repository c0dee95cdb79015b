"""Opening the storage of the rate limits."""

from typing import cast

from limits.aio.storage import Storage
from limits.storage import storage_from_string

from middleware.memory_storage import SweptMemoryStorage


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
