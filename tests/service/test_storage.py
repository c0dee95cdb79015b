"""The storage that the limits are counted in."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from middleware.counting.memory_storage import MemoryStorage
from middleware.counting.redis_storage import RedisStorage
from middleware.counting.storage import Lease, Period, Storage, StorageFailed, Window
from middleware.quota import Quota
from service.storage import open_storage, report_unreachable
from service.storage_tls import StorageError
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
    "response", [b":abc\r\n", b"+OK\r\n", b"$-1\r\n", b"*1\r\n+OK\r\n", b"*1\r\n" * 5000]
)
async def test_a_server_that_is_no_redis_has_failed(response: bytes) -> None:
    """The policy is applied then, as when there is no server."""
    async with _responding(response) as storage:
        with pytest.raises(StorageFailed):
            await storage.count([Window("x", 1, 1)])


PERIOD, LEASE = Period("p", 1, 2**32), Lease("l", "id", 1, 1)


@pytest.mark.parametrize(
    ("numbers", "operation"),
    [
        ([], lambda storage: storage.count([Window("x", 1, 1)])),
        ([1, 1], lambda storage: storage.count([Window("x", 1, 1)])),
        ([1, 1, 1, 1, 1, 1], lambda storage: storage.count([Window("x", 1, 1)])),
        ([], lambda storage: storage.charge("c", 0, 1, [PERIOD], keep_s=1)),
        ([0, 1, 1], lambda storage: storage.charge("c", 0, 1, [PERIOD], keep_s=1)),
        ([2, 1], lambda storage: storage.charge("c", 0, 1, [PERIOD], keep_s=1)),
        ([-2, 1], lambda storage: storage.charge("c", 0, 1, [PERIOD], keep_s=1)),
        ([0], lambda storage: storage.give_back("c", 1, [PERIOD], keep_s=1)),
        ([1], lambda storage: storage.lease(LEASE)),
        ([1, 1, 1], lambda storage: storage.lease(LEASE)),
    ],
)
async def test_other_numbers_than_asked_for_are_a_failure(
    numbers: list[int], operation: Callable[[Storage], Awaitable[object]]
) -> None:
    """A script of another version, or another server, is no internal error."""
    response = f"*{len(numbers)}\r\n" + "".join(f":{number}\r\n" for number in numbers)
    async with _responding(response.encode()) as storage:
        with pytest.raises(StorageFailed, match="UnexpectedResponse"):
            await operation(storage)


@asynccontextmanager
async def _responding(response: bytes) -> AsyncIterator[Storage]:
    """Open a storage at a server that responds to whatever it is sent with the same bytes."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            writer.write(response)
        writer.close()

    async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        storage = _open(f"async+redis://127.0.0.1:{port}", wait_s=5)
        yield storage
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


@pytest.mark.parametrize(
    ("uri", "files", "said"),
    [
        ("async+rediss://h", {"storage_ca": "none.pem"}, "none.pem cannot be read by this user"),
        ("async+rediss://h", {"storage_ca": "text"}, "text has no CA certificate in PEM"),
        (
            "async+rediss://h",
            {"storage_certfile": "text", "storage_keyfile": "text"},
            "are not a certificate and its key in PEM, without a passphrase",
        ),
        ("async+redis+sentinel://:hunter2@h:1,i:2", {}, "async+redis+sentinel://USER:PASSWORD@"),
        ("async+redis+sentinel://:hunter2@h/ocr?x=1", {}, "than db, sentinel_username, sentinel_"),
        ("async+redis+sentinel://h/ocr?password=hunter2", {}, "than db, sentinel_username, senti"),
        ("async+redis://:hunter2@h/0?protocol=3", {}, "another parameter than db, username, pass"),
        ("async+redis://:hunter2@h/0?db=one", {}, "the URL cannot be used (ValueError)"),
        ("async+redis://:hunter2@h/one", {}, "the database behind the host is not a number"),
        ("async+redis://:hunter2@h/0#1", {}, "write %23"),
        ("async+redis:///0", {}, "the host is missing"),
        ("async+redis+unix://?db=0", {}, "the path of the socket is missing"),
    ],
)
async def test_a_storage_that_cannot_be_used(
    uri: str, files: dict[str, str], said: str, tmp_path: Path
) -> None:
    """The message names the file and the setting, or the form of the URL, and no password."""
    (tmp_path / "text").write_text("no PEM", "utf-8")
    limits = Limits(storage=SecretStr(uri), **files)  # type: ignore[arg-type]
    with pytest.raises(StorageError) as caught:
        open_storage(limits, tmp_path)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.locs == tuple(("limits", name) for name in files or ("storage",))


async def test_sentinels_are_opened_with_their_own_password() -> None:
    """Their hosts have a default port; TLS is for them and for the redis."""
    storage = _open(
        "async+rediss+sentinel://me:a%2Fb@one,two:7/ocr?db=3&sentinel_username=s&sentinel_password=p"
    )
    assert isinstance(storage, RedisStorage)
    sentinel = storage._sentinel
    assert sentinel is not None
    found = [each.connection_pool.connection_kwargs for each in sentinel.sentinels]
    assert [(each["host"], each["port"], each["username"]) for each in found] == [
        ("one", 26379, "s"),
        ("two", 7, "s"),
    ]
    kwargs = storage._client.connection_pool.connection_kwargs
    assert (kwargs["username"], kwargs["password"], kwargs["db"]) == ("me", "a/b", 3)
    pools = [each.connection_pool for each in sentinel.sentinels]
    names = {pool.connection_class.__name__ for pool in [*pools, storage._client.connection_pool]}
    assert all("SSL" in name for name in names)
    await storage.aclose()
