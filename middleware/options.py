"""The response to OPTIONS: which methods a function has."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.cors import Preflight


class Options:
    """Answers OPTIONS with 204 and Allow (RFC 9110, section 9.3.7), and passes on all else.

    It needs no key, since a browser's preflight request has none, and says no more than a 405 does.
    What pages of other origins may do, `preflight` says.
    """

    def __init__(self, app: ASGIApp, *, methods: Iterable[str], preflight: Preflight) -> None:
        self.app = app
        self.preflight = preflight
        self.allow = ", ".join(sorted(methods)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "OPTIONS":
            await self.app(scope, receive, send)
            return
        headers = [(b"allow", self.allow), *self.preflight.headers_for(scope)]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
