"""The pages that a key can have read in a day and in a month."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.at_end import AtEnd
from middleware.authentication import authenticated_caller
from middleware.counting.storage import Charged, Period
from middleware.endings import PATIENCE_S, Ending
from middleware.errors import PageQuotaUsedUp, PagesExceedQuota
from middleware.quota import Quota
from middleware.ratelimit_headers import PAGES, add_limit
from middleware.request_context import RequestContext, request_context


@dataclass(frozen=True, slots=True)
class CalendarQuota:
    """The quota of one key in one day or month, in UTC."""

    policy: str  # its name in headers and metrics: "pages-day" or "pages-month"
    period: Period
    seconds: int


def calendar_quotas(key_id: str, quotas: Mapping[str, int], now: datetime) -> list[CalendarQuota]:
    """Return the quotas of this day and month that are not 0; their counters are named by both."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = day.replace(day=1)
    spans = {
        "day": (day, day + timedelta(days=1), f"{day:%Y-%m-%d}"),
        "month": (month, (month + timedelta(days=31)).replace(day=1), f"{day:%Y-%m}"),
    }
    found = []
    for name, (begins, ends, label) in spans.items():
        if quotas[name]:
            period = Period(f"pages/{key_id}/{label}", quotas[name], int(ends.timestamp()))
            found.append(
                CalendarQuota(f"pages-{name}", period, int((ends - begins).total_seconds()))
            )
    return found


class PageQuota:
    """Lets a function charge the pages of its uploads to the key, before they are read.

    The function calls `charge_pages` of the RequestContext. What was charged and not read is given
    back when the request ends, in whichever way.
    """

    def __init__(self, app: ASGIApp, *, quota: Quota, total_s: float) -> None:
        self.app = app
        self.quota = quota
        self.keep_s = math.ceil(total_s + PATIENCE_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = authenticated_caller(scope)
        quotas = {"day": caller.pages_per_day, "month": caller.pages_per_month}
        if not any(quotas.values()):
            await self.app(scope, receive, send)
            return
        context = request_context(scope)
        charges = PageCharges(self.quota, context, caller.id, quotas, keep_s=self.keep_s)
        context.charge_pages = charges.charge
        await AtEnd(self.quota, charges.ending).serve(self.app, scope, receive, send)


class PageCharges:
    """The pages charged for one request; its first charge decides the day and month of all."""

    def __init__(
        self,
        quota: Quota,
        context: RequestContext,
        key_id: str,
        quotas: Mapping[str, int],
        *,
        keep_s: int,
    ) -> None:
        self._quota = quota
        self._context = context
        self._key_id = key_id
        self._configured = quotas
        self._keep_s = keep_s
        self._quotas: list[CalendarQuota] = []
        self._parts = 0
        self._pages = 0

    async def charge(self, pages: int) -> None:
        """Charge the pages of one upload.

        Raises:
            PagesExceedQuota: the request has more pages than a whole day or month allows.
            PageQuotaUsedUp: the day or month has too few pages left.
            LimitStorageFailed: the storage failed and the policy is to deny.

        """
        if not self._quotas:
            now = datetime.now(UTC)
            self._quotas = calendar_quotas(self._key_id, self._configured, now)
        for each in self._quotas:
            if self._pages + pages > each.period.quota:
                self._quota.hit(each.policy)
                raise PagesExceedQuota(each.policy, each.period.quota, self._pages + pages)
        if not self._context.storage_failed:  # else it is not asked
            self._parts += 1
            self._pages += pages  # before it answers: it may charge and not say so
        charged = await self._quota.ask(self._context, lambda: self._charge(pages))
        if charged is None:
            return
        self._add_headers(charged)
        if charged.exceeded is not None:
            self._pages -= pages
            raise self._used_up(charged, pages)

    def ending(self) -> Ending | None:
        """Return what gives back the pages that were not read; None if all were."""
        unread = self._pages - (self._context.pages or 0)
        if unread <= 0:
            return None

        async def give_back() -> None:
            self._add_headers(
                await self._quota.storage.give_back(
                    self._context.request_id, unread, self._periods, keep_s=self._keep_s
                )
            )

        return Ending("pages", unread, give_back)

    @property
    def _periods(self) -> list[Period]:
        return [each.period for each in self._quotas]

    async def _charge(self, pages: int) -> Charged:
        return await self._quota.storage.charge(
            self._context.request_id, self._parts, pages, self._periods, keep_s=self._keep_s
        )

    def _add_headers(self, charged: Charged) -> None:
        now = time.time()
        for each, used in zip(self._quotas, charged.used, strict=True):
            period = each.period
            add_limit(
                self._context,
                each.policy,
                period.quota,
                period.quota - used,
                window_s=each.seconds,
                reset_s=max(1, math.ceil(period.ends_at - now)),
                unit=PAGES,
            )

    def _used_up(self, charged: Charged, pages: int) -> PageQuotaUsedUp:
        """Return the refusal by the quota that is renewed last, of those without room."""
        left = {
            each: each.period.quota - used
            for each, used in zip(self._quotas, charged.used, strict=True)
        }
        last = max(
            (each for each in left if pages > left[each]), key=lambda each: each.period.ends_at
        )
        self._quota.hit(last.policy)
        return PageQuotaUsedUp(
            last.policy,
            last.period.quota,
            max(0, left[last]),
            pages,
            renewed=f"{datetime.fromtimestamp(last.period.ends_at, UTC):%Y-%m-%d}",
            retry_after_s=max(1, math.ceil(last.period.ends_at - time.time())),
        )
