"""The storage that the limits are counted in."""

import json

import pytest
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

from middleware.memory_storage import SweptMemoryStorage
from middleware.quota import Quota
from service.storage import open_storage, report_unreachable

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


@pytest.mark.parametrize(
    ("uri", "logged"),
    [("async+memory://", []), ("async+redis://127.0.0.1:1", ["limit_storage_unreachable"])],
)
@pytest.mark.parametrize(("allow", "policy"), [(True, "allow"), (False, "deny")])
async def test_the_start_reports_a_storage_that_does_not_respond(
    *, uri: str, logged: list[str], allow: bool, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, with what happens to requests; the start goes on."""
    storage = open_storage(uri, wait_s=0.1)
    await report_unreachable(Quota(storage, wait_s=5, allow_on_failure=allow, write=print))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == logged
    assert all(line["policy"] == policy for line in lines)
