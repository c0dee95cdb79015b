"""Who is asking: an API key in X-API-Key or Authorization, never in a URL."""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from limits import RateLimitItem
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.errors import NotAuthenticated, ScopeMissing
from middleware.exchange import address_of, exchange_of
from middleware.quota import Charge, Quota, network_of
from middleware.token import id_of

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Caller:
    """One key's entry: the SHA-256 of the key and what it may do."""

    id: str
    name: str
    sha256: bytes
    scopes: frozenset[str]
    limits: Mapping[str, RateLimitItem] = field(default_factory=dict)
    not_before: datetime = BEGINNING
    expires: datetime = END
    loopback_only: bool = False


# Compared against when no entry has the id, so that a miss costs what a hit does.
NOBODY = Caller("", "", bytes(32), frozenset(), not_before=END)


class Keys:
    """Lets a request through when its key is valid and holds `scope`.

    A wrong key is counted against its network in `failures`; a right one is never held up by the
    wrong ones of a neighbour behind the same address.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        callers: Iterable[Caller],
        scope: str,
        quota: Quota,
        failures: RateLimitItem,
    ) -> None:
        self.app = app
        self.callers = {caller.id: caller for caller in callers}
        self.scope = scope
        self.quota = quota
        self.failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope)
        caller = self._identify(_token(Headers(scope=scope)), address)
        if caller is None:
            charge = Charge("failures", self.failures, ("failures", network_of(address)))
            await self.quota.take(exchange_of(scope), [charge])
            raise NotAuthenticated
        exchange_of(scope).key_name = caller.name
        if self.scope not in caller.scopes:
            raise ScopeMissing(self.scope)
        scope["state"]["caller"] = caller
        await self.app(scope, receive, send)

    def _identify(self, token: str, address: str) -> Caller | None:
        """Return the caller; every way of failing takes the same steps."""
        caller = self.callers.get(id_of(token) or "", NOBODY)
        digest = hashlib.sha256(token.encode()).digest()
        same = hmac.compare_digest(digest, caller.sha256)
        in_time = caller.not_before <= datetime.now(UTC) < caller.expires
        in_place = not caller.loopback_only or _is_loopback(address)
        return caller if same and in_time and in_place else None


def caller_of(scope: Scope) -> Caller:
    """Return who made the request; only behind Keys."""
    return cast(Caller, scope["state"]["caller"])


def _token(headers: Headers) -> str:
    """Return the key that was sent; two that differ are as good as none."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    sent = {*headers.getlist("x-api-key")}
    if scheme.lower() == "bearer":
        sent.add(bearer.strip())
    return sent.pop() if len(sent) == 1 else ""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
