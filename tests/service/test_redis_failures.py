"""A redis that is restarted, slow, full, a replica or lost: the policy, and back by itself."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from limits import parse
from pydantic import SecretStr

from bench.processes import free_port
from bench.relay import delayed
from middleware.counting.redis_storage import MOST_CONNECTIONS, PREFIX
from middleware.counting.storage import Lease, Period, StorageFailed
from middleware.errors import LimitStorageFailed
from middleware.quota import Charge, Quota
from middleware.request_context import RequestContext
from service.storage import open_storage
from settings import Limits
from tests.service.redis_servers import (
    DOWN_AFTER_MS,
    PATIENCE_S,
    Sentinels,
    redis_server,
)

pytestmark = pytest.mark.anyio
WAIT_S = 0.5
MINUTE = Charge("key", parse("1000/minute"), ("k", "aaaa"))
DAY = Period("pages/aaaa/day", 1000, 4_000_000_000)
PAGES = PREFIX + DAY.key


@asynccontextmanager
async def _quota(uri: str, *, allow: bool = False, wait_s: float = WAIT_S) -> AsyncIterator[Quota]:
    storage = open_storage(Limits(storage=SecretStr(uri), storage_wait_s=wait_s), Path())
    quota = Quota(storage, wait_s=wait_s, allow_on_failure=allow, write=lambda _line: None)
    try:
        yield quota
    finally:
        await quota.aclose()


async def _remaining(quota: Quota) -> int:
    """Count a request; return how many more there may be."""
    context = RequestContext()
    await quota.consume(context, [MINUTE])
    return int(dict(context.response_headers)[b"ratelimit"].split(b"r=")[1].split(b";")[0])


async def _fails(quota: Quota) -> None:
    """Expect every kind of count to fail, within the wait, and /readyz to be red."""
    storage = quota.storage
    operations = (
        lambda: quota.consume(RequestContext(), [MINUTE]),
        lambda: quota.ask(RequestContext(), lambda: storage.charge("f", 1, 1, [DAY], keep_s=9)),
        lambda: quota.ask(RequestContext(), lambda: storage.lease(Lease("k", "a", 1, 9))),
    )
    async with asyncio.timeout(PATIENCE_S):
        found = await asyncio.gather(*(each() for each in operations), return_exceptions=True)
    assert {type(each) for each in found} == {
        type(None) if quota.allow_on_failure else LimitStorageFailed
    }
    assert not await quota.reachable()


def _descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


async def _back(quota: Quota) -> None:
    """Wait until it counts again."""
    async with asyncio.timeout(PATIENCE_S):
        while not await quota.reachable():  # noqa: ASYNC110 - it is asked, not told
            await asyncio.sleep(0.02)


async def test_a_restart_is_not_noticed(tmp_path: Path) -> None:
    """Its connections are dead and its scripts are gone; counts in its file are not."""
    port = free_port()
    arguments = ("--port", str(port), "--appendonly", "yes", "--save", "")
    async with _quota(f"async+redis://127.0.0.1:{port}") as quota:
        with redis_server(*arguments, directory=tmp_path, port=port) as process:
            # Several connections at once, all of which will be dead.
            await asyncio.gather(*(_remaining(quota) for _ in range(5)))
            await quota.storage.charge("a", 1, 7, [DAY], keep_s=60)
            process.terminate()
            process.wait()
        await _fails(quota)
        with redis_server(*arguments, directory=tmp_path, port=port):
            failures = quota.failures
            left = await asyncio.gather(*(_remaining(quota) for _ in range(5)))
            assert sorted(left) == list(range(990, 995))
            assert (await quota.storage.charge("b", 1, 1, [DAY], keep_s=60)).used == [8]
            assert quota.failures == failures


async def test_a_slow_redis_is_waited_for_once(tmp_path: Path) -> None:
    """A request with three counts waits once; the control: with more patience it is counted."""
    port = free_port()
    with (
        redis_server("--port", str(port), "--save", "", directory=tmp_path, port=port),
        delayed(port, WAIT_S) as slow,
    ):
        uri = f"async+redis://127.0.0.1:{slow}"
        async with _quota(uri, allow=True) as quota:
            context = RequestContext()
            await quota.consume(context, [MINUTE])
            waited_s = context.storage_waited_s
            assert waited_s >= WAIT_S
            for _ in range(2):
                await quota.consume(context, [MINUTE])
            assert (quota.failures, context.storage_waited_s) == (1, waited_s)
            assert context.response_headers == []
        async with _quota(uri, wait_s=PATIENCE_S) as patient:
            assert await _remaining(patient) < 1000


@pytest.mark.parametrize("allow", [False, True])
async def test_a_redis_that_takes_no_writes(*, allow: bool, tmp_path: Path) -> None:
    """Full, or a replica: it answers, and counts nothing."""
    port = free_port()
    with redis_server("--port", str(port), "--save", "", directory=tmp_path, port=port):
        async with _quota(f"async+redis://127.0.0.1:{port}", allow=allow) as quota:
            client = quota.storage._client  # type: ignore[attr-defined]
            assert await _remaining(quota) == 999
            for setting, value, normal in (("maxmemory", "1", "0"), ("replica", "", "")):
                if setting == "maxmemory":
                    await client.config_set(setting, value)
                else:
                    await client.replicaof("127.0.0.1", free_port())
                await _fails(quota)
                if setting == "maxmemory":
                    await client.config_set(setting, normal)
                else:
                    await client.replicaof("NO", "ONE")
                assert await quota.reachable()
            assert await _remaining(quota) == 998


async def test_many_requests_at_a_hung_redis_share_few_connections(tmp_path: Path) -> None:
    """Four hundred fail together, over no more connections than there may be; then it goes on."""
    port = free_port()
    with redis_server("--port", str(port), "--save", "", directory=tmp_path, port=port) as process:
        async with _quota(f"async+redis://127.0.0.1:{port}") as quota:
            assert await _remaining(quota) == 999
            os.kill(process.pid, signal.SIGSTOP)
            before = _descriptors()
            requests = [
                asyncio.create_task(quota.consume(RequestContext(), [MINUTE])) for _ in range(400)
            ]
            await asyncio.sleep(WAIT_S / 2)
            assert _descriptors() <= before + MOST_CONNECTIONS
            async with asyncio.timeout(PATIENCE_S):
                found = await asyncio.gather(*requests, return_exceptions=True)
            assert {type(each) for each in found} == {LimitStorageFailed}
            os.kill(process.pid, signal.SIGCONT)
            await _back(quota)
            assert 999 - 1 - len(requests) <= await _remaining(quota) <= 998


@pytest.fixture(scope="module")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    """A master with a replica and a sentinel; the last test of the module loses the master."""
    with ExitStack() as stack:
        yield Sentinels(tmp_path_factory.mktemp("sentinels"), stack)


async def test_the_sentinels_passwords_are_their_own(sentinels: Sentinels) -> None:
    """Neither the redis's for the sentinel, nor an unknown service."""
    for uri in (
        sentinels.storage.replace("pw2", "pw%2Fof"),
        sentinels.storage.replace("/ocr", "/other"),
    ):
        async with _quota(uri) as quota:
            with pytest.raises(StorageFailed):
                await quota.storage.check()


async def test_a_master_that_is_lost_is_replaced(sentinels: Sentinels, tmp_path: Path) -> None:
    """The policy decides until the replica is elected; then counts and quotas go on from it.

    One master hangs, so connections to it stay open, another one is killed. When they are back,
    nobody counts in them.
    """
    with ExitStack() as stack:
        others = Sentinels(tmp_path, stack)
        await asyncio.gather(
            _lose_master(sentinels, signal.SIGSTOP), _lose_master(others, signal.SIGKILL)
        )


async def _lose_master(servers: Sentinels, how: signal.Signals) -> None:
    async with AsyncExitStack() as stack:
        strict = await stack.enter_async_context(_quota(servers.storage))
        lenient = await stack.enter_async_context(_quota(servers.storage, allow=True))
        left = await asyncio.gather(*(_remaining(strict) for _ in range(5)))
        await strict.storage.charge("a", 1, 7, [DAY], keep_s=60)
        await _replicated(servers, 1, b"7")
        servers.elect(after_ms=3_600_000)  # nobody is elected before the policy has been seen
        os.kill(servers.master.pid, how)
        await asyncio.gather(*(_fails(quota) for quota in (strict, lenient)))
        servers.elect(after_ms=DOWN_AFTER_MS)
        await asyncio.gather(*(_back(quota) for quota in (strict, lenient)))
        assert await _remaining(lenient) == min(left) - 1
        _begin_again(servers, how)
        with servers.client(1) as elected, servers.client(0) as lost:
            counted = lost.get(PAGES)
            await _charge(strict, 8, 9, 10)
            assert elected.role()[0] == lost.role()[0] == b"master"
            assert (elected.get(PAGES), lost.get(PAGES)) == (b"10", counted)
            # A sentinel does so after ten seconds.
            lost.replicaof("127.0.0.1", str(servers.ports[1]))
            await _charge(strict, 11, 12, 13)
        await _replicated(servers, 0, b"13")
        async with _quota(f"async+redis://:pw%2Fof@127.0.0.1:{servers.ports[0]}") as alone:
            await _fails(alone)  # the control: a replica takes no counts
        failures = strict.failures, lenient.failures
        await _charge(strict, 14)
        assert await _remaining(lenient) == min(left) - 2
        assert (strict.failures, lenient.failures) == failures


async def _replicated(servers: Sentinels, number: int, pages: bytes) -> None:
    with servers.client(number) as replica:
        async with asyncio.timeout(PATIENCE_S):
            while replica.get(PAGES) != pages:  # noqa: ASYNC110 - it is asked, not told
                await asyncio.sleep(0.02)


def _begin_again(servers: Sentinels, how: signal.Signals) -> None:
    if how == signal.SIGSTOP:
        os.kill(servers.master.pid, signal.SIGCONT)
    else:
        servers.master.wait()
        servers.start_master()


async def _charge(quota: Quota, *expected: int) -> None:
    for number in expected:
        charged = await quota.storage.charge(str(number), 1, 1, [DAY], keep_s=60)
        assert charged.used == [number]
