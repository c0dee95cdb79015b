"""The storage that the limits are counted in."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from middleware.counting.memory_storage import MemoryStorage
from middleware.counting.redis_storage import RedisStorage
from middleware.counting.storage import Storage, StorageFailed, Window
from middleware.quota import Quota
from service.storage import open_storage, report_unreachable
from settings import Limits

pytestmark = pytest.mark.anyio


def _open(uri: str, *, wait_s: float = 0.1, **files: Any) -> Storage:
    limits = Limits(storage=SecretStr(uri), storage_wait_s=wait_s, **files)
    return open_storage(limits, Path())


async def test_memory_is_this_process_s() -> None:
    """The default needs no server."""
    storage = _open("async+memory://")
    assert isinstance(storage, MemoryStorage)
    await storage.check()


@pytest.mark.parametrize(
    "uri",
    ["async+redis://:pw@127.0.0.1:1/2", "async+rediss://127.0.0.1:1", "async+redis+unix:///x/y"],
)
async def test_each_scheme_of_the_settings_opens(uri: str) -> None:
    """Nothing is connected yet; asking one that is not there is a StorageError, in no time."""
    storage = _open(uri)
    assert isinstance(storage, RedisStorage)
    with pytest.raises(StorageFailed):
        await storage.count([Window("x", 1, 1)])
    await storage.aclose()


@pytest.mark.parametrize(
    ("uri", "logged"),
    [("async+memory://", []), ("async+redis://127.0.0.1:1", ["limit_storage_unreachable"])],
)
@pytest.mark.parametrize(("allow", "policy"), [(True, "allow"), (False, "deny")])
async def test_the_start_reports_a_storage_that_does_not_respond(
    *, uri: str, logged: list[str], allow: bool, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, with what happens to requests; the start goes on."""
    storage = _open(uri)
    await report_unreachable(Quota(storage, wait_s=5, allow_on_failure=allow, write=print))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == logged
    assert all(line["policy"] == policy for line in lines)
