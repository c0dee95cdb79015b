"""The audit trail: a record of each request before its documents are read, and one at its end.

Nothing that came from a document reaches a client before the first of them is written.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.authentication import PresentedCertificate
from middleware.errors import AuditUnavailable
from middleware.request_context import RequestContext, address_of, request_context
from middleware.sent_response import SentResponse

LARGE_BYTES = 1 << 17
"""Documents of more bytes in all are hashed in a thread: these take about as long as that costs."""


class Trail(Protocol):
    """Where records go."""

    def append(self, **fields: object) -> None:
        """Write a record; raises OSError if it cannot be written."""

    async def durable(self) -> None:
        """Wait until it is on the disk, if that is wanted; raises OSError if it may not be."""

    def hash_of(self, document: bytes) -> str:
        """Return the keyed hash of a document."""


@dataclass(frozen=True, slots=True)
class Audit:
    """How requests are recorded.

    With `deny` a request that cannot be recorded is refused. With `unauthenticated` those without a
    valid key are recorded, too. `certificate_of` returns the valid client certificate of a request.
    """

    trail: Trail
    deny: bool
    unauthenticated: bool
    certificate_of: Callable[[Scope], PresentedCertificate | None] = lambda _scope: None

    def caller(self, scope: Scope, context: RequestContext) -> dict[str, object]:
        """Return who sends a request, to which function."""
        certificate = self.certificate_of(scope)
        who: dict[str, object] = {
            "request": context.request_id,
            "key": context.key_name,
            "key_id": context.key_id,
            "address": address_of(scope),
            "function": context.function,
        }
        if certificate is not None:
            who["certificate"] = certificate.subject
            who["certificate_sha256"] = certificate.sha256.hex()
        return who

    async def described(self, documents: Sequence[bytes]) -> list[dict[str, object]]:
        """Return the size and the keyed hash of each document."""
        if sum(map(len, documents)) > LARGE_BYTES:
            return await asyncio.to_thread(self._described, documents)
        return self._described(documents)

    def _described(self, documents: Sequence[bytes]) -> list[dict[str, object]]:
        return [{"bytes": len(each), "hash": self.trail.hash_of(each)} for each in documents]


class AuditBeforeReading:
    """Records a request with its documents when its function reports them.

    A function that reports none is recorded before its response begins. What such a function sends
    although it could not be recorded is dropped.

    Raises:
        AuditUnavailable: it could not be recorded, and the policy is to deny.

    """

    def __init__(self, app: ASGIApp, *, audit: Audit) -> None:
        self.app = app
        self.audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = request_context(scope)
        tried = refused = False

        async def record(documents: Sequence[bytes] | None) -> None:
            nonlocal tried
            described = None if documents is None else await self.audit.described(documents)
            await self._record(scope, context, described)
            tried = True

        async def send_recorded(message: Message) -> None:
            nonlocal refused
            if not tried and not refused:
                try:
                    await record(None)
                except AuditUnavailable:
                    refused = True  # raised below: where it is sent from, it would be an error
            if not refused:
                await send(message)

        context.record_documents = record
        await self.app(scope, receive, send_recorded)
        if refused:
            raise AuditUnavailable

    async def _record(
        self, scope: Scope, context: RequestContext, documents: list[dict[str, object]] | None
    ) -> None:
        caller = self.audit.caller(scope, context)
        try:
            self.audit.trail.append(kind="received", **caller, documents=documents)
            context.recorded = True
            await self.audit.trail.durable()
        except OSError:
            if self.audit.deny:
                raise AuditUnavailable from None


class AuditEnd:
    """Records how the requests to `functions` ended; those that were refused before, too."""

    def __init__(self, app: ASGIApp, *, audit: Audit, functions: Collection[str]) -> None:
        self.app = app
        self.audit = audit
        self.functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = request_context(scope)
        began = time.perf_counter()
        response = SentResponse(send)
        try:
            await self.app(scope, receive, response)
        finally:
            if self._is_recorded(scope, context):
                ms = round((time.perf_counter() - began) * 1000, 1)
                end: dict[str, object] = {
                    "status": response.status,
                    "complete": response.complete,
                    "pages": context.pages,
                    "ms": ms,
                }
                with contextlib.suppress(OSError):  # the trail logs and counts it
                    self._append(scope, context, end)

    def _is_recorded(self, scope: Scope, context: RequestContext) -> bool:
        """Return whether a request is; preflight requests, which have no key, are not."""
        if context.function not in self.functions or scope["method"] == "OPTIONS":
            return False
        return context.recorded or context.key_name is not None or self.audit.unauthenticated

    def _append(self, scope: Scope, context: RequestContext, end: dict[str, object]) -> None:
        """Write the record; it says who sent the request only if no other record does."""
        said = context.recorded
        caller = {"request": context.request_id} if said else self.audit.caller(scope, context)
        why = {"problem": context.problem, "reason": context.denial_reason}
        given = {name: value for name, value in why.items() if value is not None}
        self.audit.trail.append(kind="done" if said else "request", **caller, **end, **given)
