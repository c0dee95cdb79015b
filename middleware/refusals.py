"""Responses to requests that the server refuses before they are served."""

from collections.abc import Mapping

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.errors import (
    HeadersTooLarge,
    MalformedHttp,
    MiddlewareError,
    TransferCodingUnknown,
    WebSocketRefused,
)
from middleware.request_context import request_context

EXTENSION = "sealed.refusal"
HTTPS_REQUIRED = "https_required"
ERRORS: Mapping[str, type[MiddlewareError]] = {
    "malformed_http": MalformedHttp,
    "headers_too_large": HeadersTooLarge,
    "not_implemented": TransferCodingUnknown,
    "websocket_refused": WebSocketRefused,
}


class Refusals:
    """Responds to what the server refuses (`server.refusals`), and passes everything else on.

    Plain HTTP on a port that speaks TLS is answered in plain text: a person reads it.

    Raises:
        MiddlewareError: one of ERRORS.

    """

    def __init__(self, app: ASGIApp, *, origin: str) -> None:
        self.app = app
        self.origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = scope.get("extensions", {}).get(EXTENSION)
        if refusal is None:
            await self.app(scope, receive, send)
            return
        request_context(scope).function = "refused"
        if refusal != HTTPS_REQUIRED:
            raise ERRORS[refusal]
        request_context(scope).problem = HTTPS_REQUIRED
        text = f"Plain HTTP was sent to an HTTPS port. Use {self.origin}/\n"
        await PlainTextResponse(text, 400)(scope, receive, send)
