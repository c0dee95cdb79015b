"""Headers of every response."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.request_context import request_context


class ResponseHeaders:
    """Adds security headers and those of the request context; HSTS over TLS only (RFC 6797)."""

    def __init__(self, app: ASGIApp, *, hsts: str) -> None:
        self.app = app
        self.hsts = hsts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["scheme"] == "https":
                    headers["strict-transport-security"] = self.hsts
                headers["x-content-type-options"] = "nosniff"
                headers.setdefault("cache-control", "no-store")
                headers.setdefault(
                    "content-security-policy", "default-src 'none'; frame-ancestors 'none'"
                )
                headers.setdefault("referrer-policy", "no-referrer")
                headers.raw.extend(request_context(scope).response_headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)
