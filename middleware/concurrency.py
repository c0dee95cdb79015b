"""The limit on the requests of a key that are under way at the same time."""

import math
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.at_end import AtEnd
from middleware.authentication import authenticated_caller
from middleware.counting.storage import Lease
from middleware.endings import Ending
from middleware.errors import TooManyConcurrentRequests
from middleware.quota import Quota
from middleware.ratelimit_headers import CONCURRENT, add_limit
from middleware.request_context import RequestContext, request_context

POLICY = "concurrent"
MARGIN_S = 30


class ConcurrencyLimit:
    """Holds a lease for each request of a key that has a limit, over all processes and machines.

    A lease ends with its request. That of a process which was killed ends by itself, MARGIN_S after
    the request's `total_s`.

    Raises:
        TooManyConcurrentRequests: the key has as many requests under way as it may.
        LimitStorageFailed: the storage failed and the policy is to deny.

    """

    def __init__(self, app: ASGIApp, *, quota: Quota, total_s: float) -> None:
        self.app = app
        self.quota = quota
        self.lease_s = math.ceil(total_s) + MARGIN_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = authenticated_caller(scope)
        context = request_context(scope)
        if not caller.concurrent or context.storage_failed:
            await self.app(scope, receive, send)
            return
        lease = Lease(f"leases/{caller.id}", context.request_id, caller.concurrent, self.lease_s)
        ending = Ending("leases", 1, partial(self.quota.storage.release, lease))
        at_end = AtEnd(self.quota, lambda: ending)

        async def begun(scope: Scope, receive: Receive, send: Send) -> None:
            if not await self._begin(context, lease):
                at_end.forget()
                self.quota.hit(POLICY)
                raise TooManyConcurrentRequests(lease.limit)
            await self.app(scope, receive, send)

        await at_end.serve(begun, scope, receive, send)

    async def _begin(self, context: RequestContext, lease: Lease) -> bool:
        """Return whether the request has a lease, or needs none since the storage has failed."""
        found = await self.quota.ask(context, partial(self.quota.storage.lease, lease))
        if found is None:
            return True
        held, number = found
        add_limit(context, POLICY, lease.limit, lease.limit - number, unit=CONCURRENT)
        return held
