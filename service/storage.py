"""Opening the storage of the rate limits."""

from pathlib import Path

from middleware.counting.memory_storage import MemoryStorage
from middleware.counting.storage import Storage
from middleware.quota import Quota
from service.log import log_event
from service.storage_tls import StorageError, tls_files
from settings import Limits


async def report_unreachable(quota: Quota) -> None:
    """Log that the storage does not respond, if so, and what happens to requests meanwhile."""
    if not await quota.reachable():
        log_event(
            event="limit_storage_unreachable",
            policy=quota.policy,
            until="the storage responds; no restart is needed",
        )


def open_storage(limits: Limits, directory: Path) -> Storage:
    """Return the storage of these settings; it connects with the first count.

    `directory` is the base of relative paths.

    Raises:
        StorageError: the URL or a TLS file cannot be used.

    """
    uri = limits.storage.get_secret_value()
    if uri.startswith("async+memory:"):
        return MemoryStorage()
    tls = tls_files(limits, directory)
    # They take 0.1 s to import, and most services do not need them.
    from middleware.counting.redis_storage import RedisStorage  # noqa: PLC0415
    from service.redis_client import UnusableUrl, redis_client  # noqa: PLC0415

    try:
        return RedisStorage(*redis_client(uri, wait_s=limits.storage_wait_s, tls=tls))
    except Exception as error:  # noqa: BLE001 - redis-py's, whose text may hold the password
        why = str(error) if isinstance(error, UnusableUrl) else type(error).__name__
        raise StorageError(
            f"the URL cannot be used ({why}); write it as "
            "async+redis://USER:PASSWORD@HOST:PORT/DATABASE, or as "
            "async+redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/SERVICE"
        ) from None
