"""Rate limits: per subnet, per key and function."""

from collections.abc import Mapping, Sequence

from limits import RateLimitItem
from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.addresses import subnet_of
from middleware.authentication import authenticated_caller
from middleware.quota import Charge, Quota
from middleware.request_context import address_of, request_context


class AddressLimit:
    """Counts the requests of a subnet, whatever their keys; with `method` those of it alone."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        quota: Quota,
        policy: str,
        items: Sequence[RateLimitItem],
        method: str | None = None,
    ) -> None:
        self.app = app
        self.quota = quota
        self.policy = policy
        self.items = items
        self.method = method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.method in {None, scope["method"]}:
            charges = address_charges(scope, self.policy, self.items)
            await self.quota.consume(request_context(scope), charges)
        await self.app(scope, receive, send)


def address_charges(scope: Scope, policy: str, items: Sequence[RateLimitItem]) -> list[Charge]:
    """Return the limits on the requests of a request's subnet."""
    subnet = subnet_of(address_of(scope))
    return [Charge(policy, item, (policy, subnet)) for item in items]


class KeyLimit:
    """Counts the requests of a key: those to this function, and those to all functions together.

    The requests of the subnet are counted in the same step, before them. Those that need not be
    counted (`must_be_counted`) are served while the storage fails, whatever the policy.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        quota: Quota,
        path: str,
        function_items: Sequence[RateLimitItem],
        key_item: RateLimitItem,
        address_items: Sequence[RateLimitItem] = (),
        must_be_counted: bool = True,
    ) -> None:
        self.app = app
        self.quota = quota
        self.path = path
        self.function_items = function_items
        self.key_item = key_item
        self.address_items = address_items
        self.must_be_counted = must_be_counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = authenticated_caller(scope)
        charges = [
            *address_charges(scope, "address", self.address_items),
            *self._charges(caller.id, caller.limits),
        ]
        context = request_context(scope)
        context.must_be_counted = self.must_be_counted
        await self.quota.consume(context, charges)
        await self.app(scope, receive, send)

    def _charges(self, key_id: str, key_limits: Mapping[str, RateLimitItem]) -> list[Charge]:
        """Return the limits of the key's own entry, and the defaults for those it does not set."""
        function_items = [key_limits[self.path]] if self.path in key_limits else self.function_items
        return [
            *(Charge("function", item, ("f", self.path, key_id)) for item in function_items),
            Charge("key", key_limits.get("*", self.key_item), ("k", key_id)),
        ]
