"""Pages are charged before they are read, and given back if they are not."""

import asyncio
import os
import re
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from middleware.authentication import Caller
from middleware.counting.memory_storage import MemoryStorage
from middleware.counting.storage import Charged, Period
from middleware.errors import LimitStorageFailed, PageQuotaUsedUp, PagesExceedQuota
from middleware.page_quota import PageQuota, calendar_quotas
from middleware.quota import Quota
from middleware.request_context import request_context
from tests.asgi import Answer, call, scope_of
from tests.middleware.conftest import Connect, Redis

pytestmark = pytest.mark.anyio
WAIT_S = 0.5


class Reading:
    """A function that charges for files of so many pages and reads some of them."""

    def __init__(self, *files: int, read: int | None = None, fails: Any = None) -> None:
        self.files = files
        self.read = sum(files) if read is None else read
        self.fails = fails
        self.charged = asyncio.Event()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        context = request_context(scope)
        context.start_reading(len(self.files))
        for pages in self.files:
            await context.charge_pages(pages)
        self.charged.set()
        for _ in range(self.read):
            context.count_page(1)
        if self.fails is not None:
            await self.fails()
        headers = context.response_headers
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        await send({"type": "http.response.body", "body": b"2"})


async def _fail() -> None:
    raise ZeroDivisionError


async def _send(
    quota: Quota, reading: Reading, *, day: int = 10, month: int = 0, key: str = "aaaa"
) -> Answer:
    caller = Caller(key, key, None, frozenset(), pages_per_day=day, pages_per_month=month)
    app = PageQuota(reading, quota=quota, total_s=1)
    return await call(app, scope_of(state={"caller": caller}))


async def _left(quota: Quota, **options: Any) -> int:
    """Return how many pages of the day are left, by charging none."""
    answer = await _send(quota, Reading(0), **options)
    return int(re.findall(r'"pages-day";r=(\d+)', str(answer.headers))[0])


async def test_pages_are_charged_and_shown(quota: Quota) -> None:
    """The headers name quota, window, unit, what is left, and when it is renewed."""
    await _send(quota, Reading(3), month=100)
    answer = await _send(quota, Reading(2, 1), month=100)
    shown = [value for name, value in answer.headers if name.startswith("ratelimit")]
    assert [re.sub(r"[wt]=\d+", "", value) for value in shown] == [
        '"pages-day";q=10;;qu="pages"',
        '"pages-day";r=4;',
        '"pages-month";q=100;;qu="pages"',
        '"pages-month";r=94;',
    ]
    seconds = [int(each) for each in re.findall(r"[wt]=(\d+)", str(shown))]
    assert seconds[0] == 86_400
    assert 0 < seconds[1] <= seconds[3] <= seconds[2]


async def test_a_quota_that_is_used_up(quota: Quota) -> None:
    """Nothing is charged; the refusal says what is left and when it is renewed, and by what."""
    hits: list[str] = []
    quota.hit = hits.append
    await _send(quota, Reading(8), month=9)
    with pytest.raises(PageQuotaUsedUp) as caught:
        await _send(quota, Reading(3), month=9)
    refusal = caught.value
    assert (refusal.policy, refusal.quota, refusal.left) == ("pages-month", 9, 1)
    assert refusal.pages == 3
    renewed = datetime.now(UTC) + timedelta(seconds=refusal.retry_after_s)
    assert refusal.renewed == f"{renewed:%Y-%m}-01"
    with pytest.raises(PageQuotaUsedUp) as caught:
        await _send(quota, Reading(3))
    assert (caught.value.policy, caught.value.left) == ("pages-day", 2)
    assert 1 <= caught.value.retry_after_s <= 86_400
    assert hits == ["pages-month", "pages-day"]
    await _send(quota, Reading(1), month=9)
    assert await _left(quota) == 1


async def test_what_can_never_fit_is_not_put_off(quota: Quota) -> None:
    """Also where each file alone would fit; all that was charged for others is given back."""
    for files in ((11,), (6, 5)):
        with pytest.raises(PagesExceedQuota) as caught:
            await _send(quota, Reading(*files, read=0))
        assert (caught.value.policy, caught.value.quota, caught.value.pages) == (
            "pages-day", 10, 11,
        )  # fmt: skip
        assert not hasattr(caught.value, "retry_after_s")
    assert await _left(quota) == 10


async def test_keys_are_charged_apart(quota: Quota) -> None:
    """And a key without a quota is not charged."""
    await _send(quota, Reading(10), key="aaaa")
    await _send(quota, Reading(10), key="bbbb")
    for _ in range(3):
        answer = await _send(quota, Reading(10), day=0, key="aaaa")
        assert "ratelimit" not in str(answer.headers)


@pytest.mark.parametrize(("read", "left"), [(0, 10), (2, 8), (6, 4), (9, 1)])
async def test_what_was_not_read_is_given_back(quota: Quota, read: int, left: int) -> None:
    """Whether the response is complete or the request fails; what was read is not."""
    await _send(quota, Reading(9, read=read))
    assert await _left(quota) == left
    with pytest.raises(ZeroDivisionError):
        await _send(quota, Reading(9, read=read, fails=_fail), key="bbbb")
    assert await _left(quota, key="bbbb") == left


class Keeping(MemoryStorage):
    """A storage that gives nothing back."""

    async def give_back(
        self, _charge_id: str, _pages: int, periods: Sequence[Period], *, keep_s: int
    ) -> Charged:
        """Keep the pages."""
        return await super().give_back("", 0, periods, keep_s=keep_s)


async def test_without_giving_back_the_quota_would_shrink(log: list[str]) -> None:
    """The control of the test above: the same failure, with nothing given back."""
    quota = Quota(Keeping(), wait_s=1, allow_on_failure=False, write=log.append)
    with pytest.raises(ZeroDivisionError):
        await _send(quota, Reading(9, read=0, fails=_fail))
    assert await _left(quota) == 1


async def test_a_failed_request_shows_what_is_left_after_it(quota: Quota) -> None:
    """The headers of its response are those after the pages were given back."""
    caller = Caller("aaaa", "", None, frozenset(), pages_per_day=10)
    scope = scope_of(state={"caller": caller})
    with pytest.raises(ZeroDivisionError):
        await call(PageQuota(Reading(9, read=2, fails=_fail), quota=quota, total_s=1), scope)
    shown = request_context(scope).response_headers
    assert [value[:18] for _, value in shown] == [b'"pages-day";q=10;w', b'"pages-day";r=8;t=']


async def test_a_client_that_leaves_gets_its_pages_back(quota: Quota) -> None:
    """A request that is cancelled waits for nothing: they come back in the background."""
    reading = Reading(9, read=4, fails=asyncio.Event().wait)
    request = asyncio.create_task(_send(quota, reading))
    await reading.charged.wait()
    assert await _left(quota) == 1
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await quota.endings.aclose(5)
    assert await _left(quota) == 6


async def test_pages_come_back_once_a_hung_redis_does(
    connect: Connect, redis: Redis, log: list[str]
) -> None:
    """Charged, then redis hangs: the response is not held, and the pages are given back once."""
    quota = connect(wait_s=WAIT_S)
    assert await _left(quota) == 10

    async def hang() -> None:
        os.kill(redis.process.pid, signal.SIGSTOP)

    await _send(quota, Reading(9, read=2, fails=hang))
    assert len(quota.endings) == 1
    os.kill(redis.process.pid, signal.SIGCONT)
    await quota.endings.aclose(10)
    assert await _left(quota) == 8
    assert log == []


@pytest.mark.parametrize("allow", [False, True])
async def test_a_charge_that_a_hung_redis_makes_late(
    *, allow: bool, connect: Connect, redis: Redis
) -> None:
    """The policy decides; a request that was denied is not charged, even by a late script."""
    quota = connect(allow=allow, wait_s=WAIT_S)
    await _left(quota)
    with redis.hung():
        if allow:
            await _send(quota, Reading(9))
        else:
            with pytest.raises(LimitStorageFailed):
                await _send(quota, Reading(9))
    await quota.endings.aclose(10)
    assert await _left(quota) in ({10, 1} if allow else {10})


async def test_what_was_never_charged_is_not_given_back(quota: Quota) -> None:
    """The storage has failed the request before, and is not asked again."""
    quota.allow_on_failure = True
    caller = Caller("aaaa", "", None, frozenset(), pages_per_day=10)
    scope = scope_of(state={"caller": caller})
    request_context(scope).storage_failed = True
    await call(PageQuota(Reading(9, read=0), quota=quota, total_s=1), scope)
    assert len(quota.endings) == 0
    assert await _left(quota) == 10


def test_the_periods_are_those_of_the_calendar_in_utc() -> None:
    """The days of each month, its length, and the year's end."""
    now = datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)
    day, month = calendar_quotas("aaaa", {"day": 1, "month": 2}, now)
    assert (day.period.key, month.period.key) == ("pages/aaaa/2028-02-29", "pages/aaaa/2028-02")
    ends_at = int(datetime(2028, 3, 1, tzinfo=UTC).timestamp())
    assert (day.period.ends_at, month.period.ends_at) == (ends_at, ends_at)
    assert (day.seconds, month.seconds) == (86_400, 29 * 86_400)
    (month,) = calendar_quotas("aaaa", {"day": 0, "month": 2}, now.replace(month=12, day=31))
    assert month.period.ends_at == int(datetime(2029, 1, 1, tzinfo=UTC).timestamp())
    assert month.seconds == 31 * 86_400
