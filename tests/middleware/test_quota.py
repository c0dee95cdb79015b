"""Counting in one storage, and what happens when it does not answer."""

import asyncio
import json
import re
from collections.abc import Sequence
from ipaddress import IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse
from limits.aio.storage import MemoryStorage

from middleware.errors import LimitStorageFailed, RateLimited
from middleware.quota import Charge, Quota, subnet_of
from middleware.request_context import RequestContext
from tests.middleware.conftest import Connect, Redis

pytestmark = pytest.mark.anyio

# draft-ietf-httpapi-ratelimit-headers-10: a list of strings with integer parameters.
POLICY = re.compile(r'"[ -!#-\[\]-~]+";q=[1-9]\d*;w=[1-9]\d*')
LIMIT = re.compile(r'"[ -!#-\[\]-~]+";r=\d+;t=\d+')


def _charge(limit: str, whose: str = "x", policy: str = "key") -> Charge:
    return Charge(policy, parse(limit), (whose,))


async def _count(quota: Quota, *charges: Charge) -> RequestContext | None:
    """Take one request's charges; None where a limit is used up."""
    context = RequestContext()
    try:
        await quota.take(context, charges)
    except RateLimited:
        return None
    return context


async def test_a_limit_is_what_it_says(quota: Quota) -> None:
    """Three a minute are three, for each caller."""
    for whose in "ab":
        seen = [await _count(quota, _charge("3/minute", whose)) for _ in range(5)]
        assert [bool(one) for one in seen] == [True, True, True, False, False]


async def test_the_headers_tell_what_is_left(quota: Quota) -> None:
    """Each counted request carries policy and count of each limit, in the draft's syntax."""
    charges = [_charge("3/minute"), _charge("9/hour", policy="address /healthz")]
    for left in (2, 1, 0):
        context = await _count(quota, *charges)
        assert context
        headers = [(name.decode(), value.decode()) for name, value in context.headers]
        policies = [value for name, value in headers if name == "ratelimit-policy"]
        counts = [value for name, value in headers if name == "ratelimit"]
        assert policies == ['"key";q=3;w=60', '"address /healthz";q=9;w=3600']
        assert all(POLICY.fullmatch(value) for value in policies)
        assert all(LIMIT.fullmatch(value) for value in counts)
        assert [int(re.findall(r"r=(\d+)", value)[0]) for value in counts] == [left, left + 6]


async def test_a_refused_request_carries_them_too(quota: Quota) -> None:
    """The answer 429 shows a count of 0 and when there is room again."""
    await _count(quota, _charge("1/minute"))
    context = RequestContext()
    with pytest.raises(RateLimited) as caught:
        await quota.take(context, [_charge("1/minute")])
    assert 1 <= caught.value.retry_after_s <= 60
    assert dict(context.headers)[b"ratelimit"] == b'"key";r=0;t=%d' % caught.value.retry_after_s


async def test_the_first_limit_that_is_used_up_ends_it(quota: Quota) -> None:
    """Later charges are not taken from a request that an earlier one refuses."""
    narrow, wide = _charge("1/minute", "n"), _charge("5/minute", "w")
    assert await _count(quota, narrow, wide)
    assert await _count(quota, narrow, wide) is None
    context = await _count(quota, wide)
    assert context
    assert b";r=3;" in dict(context.headers)[b"ratelimit"]


async def test_without_charges_nothing_is_counted(quota: Quota) -> None:
    """A function without limits needs no storage."""
    context = await _count(quota)
    assert context
    assert context.headers == []


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
    """Expect every request to be answered by the policy, within the wait, logged and counted."""
    context = RequestContext()
    for number in (1, 2):
        # Ten times the wait is far from the policy's own time and far from redis' patience.
        async with asyncio.timeout(10 * quota.wait_s):
            if quota.allow_on_failure:
                await quota.take(context, [_charge("1/day")])
            else:
                with pytest.raises(LimitStorageFailed):
                    await quota.take(context, [_charge("1/day")])
        assert quota.failures == number
    policy = "allow" if quota.allow_on_failure else "deny"
    assert _failures(log) == [(policy, 1), (policy, 2)]
    assert context.headers == []
    assert not await quota.reachable()


@pytest.mark.parametrize("allow", [False, True])
async def test_a_storage_that_is_down(
    *,
    allow: bool,
    connect: Connect,
    redis: Redis,
    log: list[str],
) -> None:
    """Whether it was never there or has gone away, the policy answers."""
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
    """A redis that takes connections and answers nothing is given up within the wait."""
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
            await patient.take(RequestContext(), [_charge("9/minute")])


@pytest.mark.parametrize("patience_s", [None, 30])
async def test_counting_goes_on_after_a_hang(
    patience_s: float | None, connect: Connect, redis: Redis
) -> None:
    """Once redis answers again counts are right: no late reply is taken for another's."""
    quota = connect(patience_s=patience_s)
    assert await _count(quota, _charge("3/minute", "a"))
    with redis.hung():
        waiting = (
            quota.take(RequestContext(), [_charge("9/minute", f"late{n}")]) for n in range(5)
        )
        failed = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(error) for error in failed} == {LimitStorageFailed}
    seen = [await _count(quota, _charge("3/minute", "b")) for _ in range(4)]
    assert [bool(one) for one in seen] == [True, True, True, False]
    left = [dict(one.headers)[b"ratelimit"].split(b";")[1] for one in seen if one]
    assert left == [b"r=2", b"r=1", b"r=0"]


async def test_a_fault_of_ours_is_no_failure_of_the_storage(log: list[str]) -> None:
    """Only what a storage may do is answered by the policy; a bug is not let through with it."""

    class Broken(MemoryStorage):
        async def acquire_entry(self, *_args: Any, **_options: Any) -> bool:
            raise ZeroDivisionError

    quota = Quota(Broken(), wait_s=1, allow_on_failure=True, write=log.append)
    with pytest.raises(ZeroDivisionError):
        await quota.take(RequestContext(), [_charge("1/day")])


async def test_memory_is_always_reachable(quota: Quota) -> None:
    """The readiness check holds without a server."""
    assert await quota.reachable()


@pytest.mark.parametrize(
    ("address", "subnet"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff:ffff:ffff:ffff", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
    ],
)
def test_what_a_caller_is_counted_by(address: str, subnet: str) -> None:
    """An IPv4 address, or an IPv6 site; a mapped address is the IPv4 one."""
    assert subnet_of(address) == subnet


@given(st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_lower_half_of_an_ipv6_address_does_not_count(site: int, one: int, two: int) -> None:
    """Changing it is no way around a limit."""
    first, second = (IPv6Address(site << 64 | lower) for lower in (one, two))
    assert subnet_of(str(first)) == subnet_of(str(second))
