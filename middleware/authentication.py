"""Who is asking: an API key in X-API-Key or Authorization, a client certificate, or both."""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, cast

from limits import RateLimitItem
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.errors import NotAuthenticated, ScopeMissing
from middleware.key_format import id_of
from middleware.quota import Charge, Quota, subnet_of
from middleware.request_context import address_of, request_context

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


class PresentedCertificate(Protocol):
    """The certificate a client has shown; whoever made it has verified it."""

    @property
    def subject(self) -> str:
        """Its subject, as RFC 4514 writes it."""

    @property
    def sha256(self) -> bytes:
        """The SHA-256 of the whole certificate."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One entry: how a caller is known, and what it may do.

    By the SHA-256 of its key, by its certificate's subject or SHA-256, or by both together.
    """

    id: str
    name: str
    sha256: bytes | None
    scopes: frozenset[str]
    limits: Mapping[str, RateLimitItem] = field(default_factory=dict)
    not_before: datetime = BEGINNING
    expires: datetime = END
    loopback_only: bool = False
    certificate: str | bytes = b""

    def is_shown_by(self, shown: PresentedCertificate | None) -> bool:
        """Whether its certificate is the one that was shown, or it needs none."""
        if not self.certificate:
            return True
        return shown is not None and self.certificate in {shown.subject, shown.sha256}


# Compared against when no entry has the id, so that a miss costs what a hit does.
NOBODY = Caller("", "", bytes(32), frozenset(), not_before=END)


class Keys:
    """Lets a request through when its key, certificate or both are valid and hold `scope`.

    A wrong key is counted against its subnet in `failures`; a right one is never held up by the
    wrong ones of a neighbour behind the same address. `shown` returns the certificate that came
    with a request, if it is valid now.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        callers: Sequence[Caller],
        scope: str,
        quota: Quota,
        failures: RateLimitItem,
        shown: Callable[[Scope], PresentedCertificate | None] = lambda _scope: None,
        certificate_required: bool = False,
    ) -> None:
        self.app = app
        self.by_id = {caller.id: caller for caller in callers if caller.sha256}
        self.by_certificate = {
            caller.certificate: caller for caller in callers if not caller.sha256
        }
        self.scope = scope
        self.quota = quota
        self.failures = failures
        self.shown = shown
        self.certificate_required = certificate_required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope)
        token, shown = _token(Headers(scope=scope)), self.shown(scope)
        caller, why = self._identify(token, address, shown)
        if caller is None:
            request_context(scope).why = why
            charge = Charge("failures", self.failures, ("failures", subnet_of(address)))
            await self.quota.take(request_context(scope), [charge])
            raise NotAuthenticated
        request_context(scope).key_name = caller.name
        if self.scope not in caller.scopes:
            raise ScopeMissing(self.scope)
        scope["state"]["caller"] = caller
        await self.app(scope, receive, send)

    def _identify(
        self, token: str | None, address: str, shown: PresentedCertificate | None
    ) -> tuple[Caller | None, str]:
        """Return the caller, or why there is none; every way of failing takes the same steps.

        Where a key is sent it has to be right: a certificate is no second chance.
        """
        caller = self.by_id.get(id_of(token or "") or "", NOBODY)
        digest = hashlib.sha256((token or "").encode()).digest()
        same = hmac.compare_digest(digest, caller.sha256 or b"")
        if token is None and shown is not None:
            caller = self._known_by(shown)
            same = caller is not NOBODY
        in_time = caller.not_before <= datetime.now(UTC) < caller.expires
        in_place = not caller.loopback_only or is_loopback(address)
        certified = caller.is_shown_by(shown) and (
            shown is not None or not self.certificate_required
        )
        reasons = {
            "nothing was sent": token is not None or shown is not None,
            "unknown": caller is not NOBODY,
            "wrong key": same,
            "out of its time": in_time,
            "not from this machine": in_place,
            "without its certificate": certified,
        }
        why = [reason for reason, passed in reasons.items() if not passed]
        return (None, why[0]) if why else (caller, "")

    def _known_by(self, shown: PresentedCertificate) -> Caller:
        return self.by_certificate.get(shown.sha256, self.by_certificate.get(shown.subject, NOBODY))


def caller_of(scope: Scope) -> Caller:
    """Return who made the request; only behind Keys."""
    return cast(Caller, scope["state"]["caller"])


def _token(headers: Headers) -> str | None:
    """Return the key that was sent; two that differ are as good as a wrong one."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    sent = {*headers.getlist("x-api-key")}
    if scheme.lower() == "bearer":
        sent.add(bearer.strip())
    if not sent:
        return None
    return sent.pop() if len(sent) == 1 else ""


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
