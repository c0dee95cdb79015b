"""Authentication by API key (X-API-Key, Authorization), client certificate, or both."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol, cast

from limits import RateLimitItem
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from middleware import this_machine
from middleware.addresses import is_loopback, is_within, subnet_of
from middleware.errors import FunctionNotAllowed, NotAuthenticated, ScopeMissing
from middleware.key_format import key_id_of
from middleware.quota import Charge, Quota
from middleware.request_context import address_of, request_context

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


class PresentedCertificate(Protocol):
    """The certificate that a client presented, already verified."""

    @property
    def subject(self) -> str:
        """Its subject, as an RFC 4514 string."""

    @property
    def sha256(self) -> bytes:
        """The SHA-256 of its DER form."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One `[[keys]]` entry: how a caller authenticates, and what it may do.

    A caller is identified by the SHA-256 of its key, by the subject or SHA-256 of its certificate,
    or by both key and certificate. Until `previous_expires` its previous key is valid, too. No
    `functions` and no `networks` mean all; 0 pages a day or month, or 0 concurrent requests, means
    no quota.
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
    previous_sha256: bytes | None = None
    previous_expires: datetime = BEGINNING
    functions: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    concurrent: int = 0
    pages_per_day: int = 0
    pages_per_month: int = 0

    def accepts_certificate(self, presented: PresentedCertificate | None) -> bool:
        """Return whether the presented certificate is this caller's, or the caller needs none."""
        if not self.certificate:
            return True
        return presented is not None and self.certificate in {presented.subject, presented.sha256}


# Compared against when no entry has the id, so that an unknown id takes as long as a known one.
NO_DIGEST = bytes(32)
NOBODY = Caller("", "", NO_DIGEST, frozenset(), not_before=END)


class Authentication:
    """Passes a request on when its key, certificate or both are valid for the function at `path`.

    The caller needs the function's `scope`, and where its entry names functions, `path` among them.
    Failed authentications are counted against the subnet in `failures`; valid keys are not
    affected by the failures of others in the subnet. `certificate_of` returns the certificate that
    came with a request, if it is valid now. `key_header` names one more header for the key. With
    `loopback_without_key` a request of this machine itself, without key and certificate, passes.

    Raises:
        NotAuthenticated: there is no valid key or certificate; the log has the reason.
        ScopeMissing: the key is valid and lacks `scope`.
        FunctionNotAllowed: the key is valid, and for other functions only.
        RateLimited: the subnet has too many failed authentications.
        LimitStorageFailed: the failure could not be counted.

    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        callers: Sequence[Caller],
        path: str,
        scope: str,
        quota: Quota,
        failures: RateLimitItem,
        certificate_of: Callable[[Scope], PresentedCertificate | None] = lambda _scope: None,
        certificate_required: bool = False,
        key_header: str | None = None,
        loopback_without_key: bool = False,
    ) -> None:
        self.app = app
        self.by_id = {caller.id: caller for caller in callers if caller.sha256}
        self.by_certificate = {
            caller.certificate: caller for caller in callers if not caller.sha256
        }
        self.path = path
        self.scope = scope
        self.quota = quota
        self.failures = failures
        self.certificate_of = certificate_of
        self.certificate_required = certificate_required
        self.key_headers = ("x-api-key", *([key_header] if key_header else []))
        self.loopback_without_key = loopback_without_key and not certificate_required
        self.this_machine = Caller(this_machine.NAME, this_machine.NAME, None, frozenset({scope}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope)
        headers = Headers(scope=scope)
        key = _key(headers, self.key_headers)
        presented = self.certificate_of(scope)
        context = request_context(scope)
        claimed_id = key_id_of(key or "")
        unidentified = key is None and presented is None
        if self.loopback_without_key and unidentified and this_machine.is_own(address, headers):
            caller, reason = self.this_machine, ""
        else:
            caller, reason, context.previous_key = self._identify(
                key, claimed_id, address, presented
            )
            context.key_id = caller.id or claimed_id
        if reason:
            context.denial_reason = reason
            charge = Charge("failures", self.failures, ("failures", subnet_of(address)))
            await self.quota.consume(context, [charge])
            raise NotAuthenticated
        context.key_name = caller.name
        if self.scope not in caller.scopes:
            raise ScopeMissing(self.scope)
        if caller.functions and self.path not in caller.functions:
            raise FunctionNotAllowed(self.path)
        scope["state"]["caller"] = caller
        await self.app(scope, receive, send)

    def _identify(
        self,
        key: str | None,
        claimed_id: str | None,
        address: str,
        presented: PresentedCertificate | None,
    ) -> tuple[Caller, str, bool]:
        """Return the caller, why it is refused ("" if it is not), and if its previous key was sent.

        All take the same steps. A key that was sent has to be valid, even if a valid certificate
        came with it.
        """
        caller = self.by_id.get(claimed_id or "", NOBODY)
        digest = hashlib.sha256((key or "").encode()).digest()
        same = hmac.compare_digest(digest, caller.sha256 or NO_DIGEST)
        previous = hmac.compare_digest(digest, caller.previous_sha256 or NO_DIGEST)
        if key is None and presented is not None:
            caller = self._owner_of(presented)
            same = caller is not NOBODY
        now = datetime.now(UTC)
        certified = caller.accepts_certificate(presented) and (
            presented is not None or not self.certificate_required
        )
        checks = {
            "no key or certificate": key is not None or presented is not None,
            f"unknown {'certificate' if key is None else 'key'}": caller is not NOBODY,
            "wrong key": same or previous,
            "not yet valid": caller.not_before <= now,
            "expired": now < caller.expires,
            "previous key expired": same or now < caller.previous_expires,
            "not from this machine": not caller.loopback_only or is_loopback(address),
            "address outside the key's networks": not caller.networks
            or is_within(address, caller.networks),
            "missing or wrong certificate": certified,
        }
        failed = [reason for reason, passed in checks.items() if not passed]
        return caller, failed[0] if failed else "", previous and not same

    def _owner_of(self, presented: PresentedCertificate) -> Caller:
        by_subject = self.by_certificate.get(presented.subject, NOBODY)
        return self.by_certificate.get(presented.sha256, by_subject)


def authenticated_caller(scope: Scope) -> Caller:
    """Return the caller of an authenticated request."""
    return cast(Caller, scope["state"]["caller"])


def _key(headers: Headers, names: Sequence[str]) -> str | None:
    """Return the key that was sent, None without one; two different keys count as a wrong key."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    sent = {key for name in names for key in headers.getlist(name)}
    if scheme.lower() == "bearer":
        sent.add(bearer.strip())
    if not sent:
        return None
    return sent.pop() if len(sent) == 1 else ""
