"""Open the storage that the limits are counted in."""

from typing import cast

from limits.aio.storage import Storage
from limits.storage import storage_from_string

from middleware import memory_storage  # noqa: F401 - registers itself as async+memory://


def open_storage(uri: str, *, wait_s: float) -> Storage:
    """Return the storage at `uri`; nothing is connected before the first count."""
    storage = storage_from_string(
        uri,
        wrap_exceptions=True,
        implementation="redispy",
        # redis-py's own patience, so that a hung connection is not kept for the next request.
        socket_timeout=wait_s,
        socket_connect_timeout=wait_s,
    )
    return cast("Storage", storage)
