"""A key has no more requests under way than it may, and each that ends makes room at once."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from middleware.authentication import Caller
from middleware.concurrency import MARGIN_S, ConcurrencyLimit
from middleware.errors import LimitStorageFailed, TooManyConcurrentRequests
from middleware.quota import Quota
from tests.asgi import Answer, call, scope_of
from tests.middleware.conftest import Connect, Redis

pytestmark = pytest.mark.anyio
WAIT_S = 0.5


class Held:
    """A function that responds when it is told to, and may fail then."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[None] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.fails = False

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.begun.put_nowait(None)
        await self.gate.wait()
        if self.fails:
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        await send({"type": "http.response.body", "body": b"2"})


async def _send(quota: Quota, app: Any, *, most: int = 2, key: str = "aaaa") -> Answer:
    caller = Caller(key, key, None, frozenset(), concurrent=most)
    limited = ConcurrencyLimit(app, quota=quota, total_s=1)
    return await call(limited, scope_of(state={"caller": caller}))


@contextlib.asynccontextmanager
async def _under_way(quota: Quota, held: Held, number: int) -> AsyncIterator[list[Any]]:
    """Begin so many requests, and end them."""
    tasks = [asyncio.create_task(_send(quota, held)) for _ in range(number)]
    async with asyncio.timeout(5):
        for _ in range(number):
            await held.begun.get()
    yield tasks
    held.gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_key_s_requests_are_limited_while_they_last(quota: Quota, *, fails: bool) -> None:
    """The third is refused, another key's is not; each way out makes room."""
    held = Held()
    held.fails = fails
    hits: list[str] = []
    quota.hit = hits.append
    for _ in range(3):  # nothing is left of the round before
        held.gate.clear()
        async with _under_way(quota, held, 2):
            with pytest.raises(TooManyConcurrentRequests) as caught:
                await _send(quota, held)
            assert (caught.value.limit, caught.value.retry_after_s) == (2, 1)
            other = asyncio.create_task(_send(quota, held, key="bbbb"))
            await asyncio.wait_for(held.begun.get(), 5)
        await asyncio.gather(other, return_exceptions=True)
    assert hits == ["concurrent"] * 3


async def test_without_a_limit_nothing_is_held(quota: Quota) -> None:
    """0 is no limit."""
    held = Held()
    held.gate.set()
    await asyncio.gather(*(_send(quota, held, most=0) for _ in range(5)))
    assert len(quota.storage) == 0  # type: ignore[arg-type]


async def test_a_client_finds_room_once_it_has_its_response(connect: Connect) -> None:
    """The lease ends before the last part is sent: the next request may come at once."""
    quota = connect(wait_s=WAIT_S)
    held = Held()
    held.gate.set()
    for _ in range(20):
        seen = await _send(quota, held, most=1)
        assert seen.body == b"12"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_look(message: Any) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                nested.append(await _send(quota, held, most=1))
            await send(message)

        caller = Caller("aaaa", "", None, frozenset(), concurrent=1)
        scope["state"]["caller"] = caller
        await ConcurrencyLimit(held, quota=quota, total_s=1)(scope, receive, send_and_look)

    nested: list[Answer] = []
    await call(app, scope_of())
    assert [each.status for each in nested] == [200]


async def test_the_lease_of_a_client_that_leaves_ends(connect: Connect) -> None:
    """In the background, since a cancelled request waits for nothing."""
    quota = connect(wait_s=WAIT_S)
    held = Held()
    async with _under_way(quota, held, 2) as tasks:
        tasks[0].cancel()
        await asyncio.wait([tasks[0]])
        await quota.endings.aclose(5)
        held.gate.set()
        assert (await _send(quota, held)).status == 200


@pytest.mark.parametrize("allow", [False, True])
async def test_a_hung_redis_holds_neither_request_nor_lease(
    *, allow: bool, connect: Connect, redis: Redis
) -> None:
    """The policy decides on a new one; what ends meanwhile is ended once redis is back."""
    quota = connect(allow=allow, wait_s=WAIT_S)
    held = Held()
    async with _under_way(quota, held, 2) as tasks:
        os.kill(redis.process.pid, signal.SIGSTOP)
        held.gate.set()
        async with asyncio.timeout(30):
            assert [answer.status for answer in await asyncio.gather(*tasks)] == [200, 200]
            if allow:
                assert (await _send(quota, held)).status == 200
            else:
                with pytest.raises(LimitStorageFailed):
                    await _send(quota, held)
        os.kill(redis.process.pid, signal.SIGCONT)
    await quota.endings.aclose(10)
    assert redis.cli("zcard", "sealed-ocr:leases/aaaa") == "0\n"


async def test_a_killed_process_s_leases_end_by_themselves(connect: Connect, redis: Redis) -> None:
    """Some time after the function's time limit, not before."""
    quota = connect(wait_s=WAIT_S)
    before = time.time()
    async with _under_way(quota, Held(), 1):
        key = "sealed-ocr:leases/aaaa"
        ends_at = float(redis.cli("zrange", key, "0", "-1", "withscores").split()[1]) / 1e6
        assert before <= ends_at - (MARGIN_S + 1) <= time.time()
        assert 0 < int(redis.cli("ttl", key)) <= MARGIN_S + 1
