"""The access log: one line of JSON per response. It holds no content."""

import time
from collections.abc import Callable
from http import HTTPMethod

from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.log import entry
from middleware.request_context import RequestContext, address_of, request_context
from middleware.sent_response import SentResponse
from middleware.trace_context import trace_of

METHODS = frozenset(HTTPMethod)  # any other is text of the client's choice


class AccessLog:
    """Adds the request id, and writes a line once the response is sent or its client is gone."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        write: Callable[[str], None],
        count: Callable[[RequestContext, int | None, float], object] = lambda *_: None,
    ) -> None:
        """`count` gets each request that has ended, its status, and how many seconds it took."""
        self.app = app
        self.write = write
        self.count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = request_context(scope)
        context.response_headers.append((b"x-request-id", context.request_id.encode()))
        started = time.perf_counter()
        response = SentResponse(send)
        try:
            await self.app(scope, receive, response)
        finally:
            if not response.complete and context.problem is None:
                context.problem = _cancelled_because(scope)
            seconds = time.perf_counter() - started
            self.count(context, response.status, seconds)
            ms = round(seconds * 1000, 1)
            self.write(entry(**_fields(scope, context, response, ms)))


def _fields(
    scope: Scope, context: RequestContext, response: SentResponse, ms: float
) -> dict[str, object]:
    """Return the fields of the line, in their order."""
    return {
        "request_id": context.request_id,
        "address": address_of(scope),
        "key": context.key_name,
        "key_id": context.key_id,
        "method": scope["method"] if scope["method"] in METHODS else None,
        "function": context.function,
        "http": scope.get("http_version"),
        "status": response.status,
        "complete": response.complete,
        "problem": context.problem,
        "bytes": context.received_bytes,
        "images": context.images,
        "pages": context.pages,
        "lines": context.lines,
        "ms": ms,
        **_optional_fields(scope, context),
    }


def _cancelled_because(scope: Scope) -> str | None:
    """Return why the server cancelled the request; None if it did not.

    The client gets no response then, so no error response says it.
    """
    reason: str | None = scope.get("extensions", {}).get("sealed.cancelled", {}).get("reason")
    return reason


def _optional_fields(scope: Scope, context: RequestContext) -> dict[str, object]:
    trace = trace_of(scope["headers"])
    fields = {
        "trace_id": trace and trace.trace_id,
        "parent_id": trace and trace.parent_id,
        "previous_key": context.previous_key,
        "reason": context.denial_reason,
        "traceback": context.traceback,
    }
    return {name: value for name, value in fields.items() if value}


class FunctionName:
    """Records in the request context which function the request reached."""

    def __init__(self, app: ASGIApp, *, name: str) -> None:
        self.app = app
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_context(scope).function = self.name
        await self.app(scope, receive, send)
