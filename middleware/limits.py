"""How often: per address before the key is looked at, per key and function after."""

from collections.abc import Mapping, Sequence

from limits import RateLimitItem
from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.authentication import caller_of
from middleware.quota import Charge, Quota, subnet_of
from middleware.request_context import address_of, request_context


class AddressLimit:
    """Counts every request of one subnet, whatever key it brings."""

    def __init__(
        self, app: ASGIApp, *, quota: Quota, policy: str, items: Sequence[RateLimitItem]
    ) -> None:
        self.app = app
        self.quota = quota
        self.policy = policy
        self.items = items

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        subnet = subnet_of(address_of(scope))
        charges = [Charge(self.policy, item, (self.policy, subnet)) for item in self.items]
        await self.quota.take(request_context(scope), charges)
        await self.app(scope, receive, send)


class KeyLimit:
    """Counts the requests of one key: to this function, and to all of them together."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        quota: Quota,
        path: str,
        function_items: Sequence[RateLimitItem],
        key_item: RateLimitItem,
    ) -> None:
        self.app = app
        self.quota = quota
        self.path = path
        self.function_items = function_items
        self.key_item = key_item

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = caller_of(scope)
        await self.quota.take(request_context(scope), self._charges(caller.id, caller.limits))
        await self.app(scope, receive, send)

    def _charges(self, key_id: str, own: Mapping[str, RateLimitItem]) -> list[Charge]:
        """Return the key's own limits where it names them, the settings' defaults elsewhere."""
        function_items = [own[self.path]] if self.path in own else self.function_items
        return [
            *(Charge("function", item, ("f", self.path, key_id)) for item in function_items),
            Charge("key", own.get("*", self.key_item), ("k", key_id)),
        ]
