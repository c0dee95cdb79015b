"""The storage that the limits are counted in."""

import pytest
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

from middleware.memory_storage import SweptMemoryStorage
from service.storage import open_storage

pytestmark = pytest.mark.anyio


async def test_memory_is_this_process_s() -> None:
    """The default needs no server."""
    storage = open_storage("async+memory://", wait_s=1)
    assert isinstance(storage, SweptMemoryStorage)
    assert await storage.check()


@pytest.mark.parametrize(
    "uri",
    ["async+redis://:pw@127.0.0.1:1/2", "async+rediss://127.0.0.1:1", "async+redis+unix:///x/y"],
)
async def test_each_scheme_of_the_settings_opens(uri: str) -> None:
    """Nothing is connected yet; asking one that is not there is a StorageError, in no time."""
    storage = open_storage(uri, wait_s=0.1)
    assert isinstance(storage, RedisStorage)
    with pytest.raises(StorageError):
        await storage.incr("x", 1)
