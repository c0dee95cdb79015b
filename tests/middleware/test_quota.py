"""Requests are counted in one storage; a storage that fails is handled by the policy."""

import asyncio
import json
import re
from collections.abc import Sequence

import pytest
from limits import parse

from middleware.counting.memory_storage import MemoryStorage
from middleware.counting.storage import Counted, Window
from middleware.errors import LimitStorageFailed, RateLimited
from middleware.quota import Charge, Quota
from middleware.request_context import RequestContext
from tests.middleware.conftest import Connect, Redis

pytestmark = pytest.mark.anyio

# draft-ietf-httpapi-ratelimit-headers-10: a list of strings with integer parameters.
POLICY = re.compile(r'"[ -!#-\[\]-~]+";q=[1-9]\d*;w=[1-9]\d*')
LIMIT = re.compile(r'"[ -!#-\[\]-~]+";r=\d+;t=\d+')


def _charge(limit: str, identifier: str = "x", policy: str = "key") -> Charge:
    return Charge(policy, parse(limit), (identifier,))


async def _count(quota: Quota, *charges: Charge) -> RequestContext | None:
    """Count one request; return None where a limit is exceeded."""
    context = RequestContext()
    try:
        await quota.consume(context, charges)
    except RateLimited:
        return None
    return context


async def test_a_limit_is_enforced_per_identifier(quota: Quota) -> None:
    """With 3/minute each caller gets three."""
    for identifier in "ab":
        seen = [await _count(quota, _charge("3/minute", identifier)) for _ in range(5)]
        assert [bool(one) for one in seen] == [True, True, True, False, False]


async def test_the_headers_show_the_remaining_quota(quota: Quota) -> None:
    """Each counted request has the policy and remaining count of each limit, as in the draft."""
    charges = [_charge("3/minute"), _charge("9/hour", policy="address /healthz")]
    for left in (2, 1, 0):
        context = await _count(quota, *charges)
        assert context
        headers = [(name.decode(), value.decode()) for name, value in context.response_headers]
        policies = [value for name, value in headers if name == "ratelimit-policy"]
        counts = [value for name, value in headers if name == "ratelimit"]
        assert policies == ['"key";q=3;w=60', '"address /healthz";q=9;w=3600']
        assert all(POLICY.fullmatch(value) for value in policies)
        assert all(LIMIT.fullmatch(value) for value in counts)
        assert [int(re.findall(r"r=(\d+)", value)[0]) for value in counts] == [left, left + 6]


async def test_a_rejected_request_has_the_headers_too(quota: Quota) -> None:
    """A 429 shows a remaining count of 0 and when the window resets."""
    await _count(quota, _charge("1/minute"))
    context = RequestContext()
    with pytest.raises(RateLimited) as caught:
        await quota.consume(context, [_charge("1/minute")])
    assert 1 <= caught.value.retry_after_s <= 60
    assert (caught.value.policy, caught.value.limit, caught.value.window_s) == ("key", 1, 60)
    assert (
        dict(context.response_headers)[b"ratelimit"]
        == b'"key";r=0;t=%d' % caught.value.retry_after_s
    )


async def test_the_first_exceeded_limit_ends_the_counting(quota: Quota) -> None:
    """The charges after a rejecting one are not counted."""
    narrow, wide = _charge("1/minute", "n"), _charge("5/minute", "w")
    assert await _count(quota, narrow, wide)
    assert await _count(quota, narrow, wide) is None
    context = await _count(quota, wide)
    assert context
    assert b";r=3;" in dict(context.response_headers)[b"ratelimit"]


async def test_without_charges_nothing_is_counted(quota: Quota) -> None:
    """A function without limits needs no storage."""
    context = await _count(quota)
    assert context
    assert context.response_headers == []


async def test_two_processes_share_one_count(connect: Connect) -> None:
    """Two quotas on one redis count together; two in memory do not."""
    one, other = connect(), connect()
    taken = [await _count(quota, _charge("3/minute")) for quota in (one, other, one, other)]
    assert [bool(each) for each in taken] == [True, True, True, False]
    apart = [
        Quota(MemoryStorage(), wait_s=1, allow_on_failure=False, write=print) for _ in range(2)
    ]
    assert all([await _count(quota, _charge("1/minute")) for quota in apart])


async def test_concurrent_requests_are_counted_exactly(connect: Connect) -> None:
    """Twenty at once against a limit of seven: seven pass, over two connections too."""
    quotas = [connect(wait_s=5), connect(wait_s=5)]
    taken = await asyncio.gather(
        *(_count(quotas[number % 2], _charge("7/minute")) for number in range(20))
    )
    assert sum(1 for each in taken if each) == 7


def _failures(log: Sequence[str]) -> list[tuple[str, int]]:
    """Return policy and running count of each failure in the log."""
    lines = [json.loads(line) for line in log]
    assert {line["event"] for line in lines} == {"limit_storage_failed"}
    return [(line["policy"], line["failures"]) for line in lines]


async def _fails(quota: Quota, log: list[str]) -> None:
    """Expect the policy to decide each request within the wait; failures are logged and counted."""
    for number in (1, 2):
        context = RequestContext()
        # Ten times the wait is far from the policy's own time and far from redis' patience.
        async with asyncio.timeout(10 * quota.wait_s):
            if quota.allow_on_failure:
                await quota.consume(context, [_charge("1/day")])
            else:
                with pytest.raises(LimitStorageFailed):
                    await quota.consume(context, [_charge("1/day")])
        assert quota.failures == number
        assert context.response_headers == []
    policy = "allow" if quota.allow_on_failure else "deny"
    assert _failures(log) == [(policy, 1), (policy, 2)]
    assert not await quota.reachable()


@pytest.mark.parametrize("allow", [False, True])
async def test_a_storage_that_is_down(
    *,
    allow: bool,
    connect: Connect,
    redis: Redis,
    log: list[str],
) -> None:
    """The policy decides, whether redis has stopped or was never reached."""
    quota = connect(allow=allow)
    assert await quota.reachable()
    assert await _count(quota, _charge("9/minute"))
    redis.process.kill()
    redis.process.wait()
    await _fails(quota, log)


@pytest.mark.parametrize("patience_s", [None, 30])  # redis-py's own
@pytest.mark.parametrize("allow", [False, True])
async def test_a_storage_that_hangs(
    *,
    allow: bool,
    patience_s: float | None,
    connect: Connect,
    redis: Redis,
    log: list[str],
) -> None:
    """A redis that accepts connections and does not answer is abandoned within the wait."""
    quota = connect(allow=allow, patience_s=patience_s)
    assert await _count(quota, _charge("9/minute"))
    with redis.hung():
        await _fails(quota, log)
        log.clear()
        fresh = connect(allow=allow, patience_s=patience_s)  # one that has yet to connect
        await _fails(fresh, log)


async def test_without_the_wait_a_hung_storage_would_hold_the_request(
    connect: Connect, redis: Redis
) -> None:
    """The same storage, asked without a Quota's wait, is still silent long after it."""
    patient = connect(wait_s=30)
    assert await _count(patient, _charge("9/minute"))
    with redis.hung(), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await patient.consume(RequestContext(), [_charge("9/minute")])


@pytest.mark.parametrize("patience_s", [None, 30])
async def test_counting_goes_on_after_a_hang(
    patience_s: float | None, connect: Connect, redis: Redis, log: list[str]
) -> None:
    """Once redis answers again counts are right: no late reply is matched to another request."""
    quota = connect(patience_s=patience_s)
    assert await _count(quota, _charge("3/minute", "a"))
    with redis.hung():
        waiting = (
            quota.consume(RequestContext(), [_charge("9/minute", f"late{n}")]) for n in range(5)
        )
        failed = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(error) for error in failed} == {LimitStorageFailed}
    seen = [await _count(quota, _charge("3/minute", "b")) for _ in range(4)]
    assert [bool(one) for one in seen] == [True, True, True, False]
    left = [dict(one.response_headers)[b"ratelimit"].split(b";")[1] for one in seen if one]
    assert left == [b"r=2", b"r=1", b"r=0"]
    *failures, recovered = [json.loads(line) for line in log]
    assert {line["event"] for line in failures} == {"limit_storage_failed"}
    assert (recovered["event"], recovered["failures"]) == ("limit_storage_recovered", 5)
    assert failures[0]["at"] >= recovered["since"]


async def test_a_bug_is_not_a_storage_failure(log: list[str]) -> None:
    """The policy applies to storage errors only; other exceptions are raised."""

    class Broken(MemoryStorage):
        async def count(self, _windows: Sequence[Window]) -> list[Counted]:
            raise ZeroDivisionError

    quota = Quota(Broken(), wait_s=1, allow_on_failure=True, write=log.append)
    with pytest.raises(ZeroDivisionError):
        await quota.consume(RequestContext(), [_charge("1/day")])


async def test_memory_is_always_reachable(quota: Quota) -> None:
    """The readiness check holds without a server."""
    assert await quota.reachable()
