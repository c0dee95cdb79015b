"""Cross-origin requests: which pages of other origins may send requests and read the responses.

Not Starlette's CORSMiddleware: it has one list of methods for all functions, answers preflights
before they are counted and logged under their function, and refuses them in plain text.
"""

from collections.abc import Collection, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SENT = (
    "Accept",
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "If-None-Match",
    "Traceparent",
    "X-API-Key",
)
"""The request headers that a page may set."""
READ = (
    "Allow, Content-Disposition, ETag, RateLimit, RateLimit-Policy, Retry-After, "
    "WWW-Authenticate, X-Request-Id"
)
"""The response headers that a page may read, beside those that it always may."""
MAX_AGE_S = 600
"""How long a browser may go without another preflight: an origin that is removed stays as long."""


class Cors:
    """Lets pages of `origins` read every response, errors of the middleware included.

    Cookies are not allowed (no Access-Control-Allow-Credentials): a page sends its key itself.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        self.app = app
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = allowed_origin(scope, self.origins)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")  # also without one: a cache must not mix them up
                if origin is not None:
                    headers["access-control-allow-origin"] = origin
                    headers["access-control-expose-headers"] = READ
            await send(message)

        await self.app(scope, receive, send_with_headers)


class Preflight:
    """What a function allows in a preflight request: its methods, and the headers that it reads.

    `key_header` is one more header for the key.
    """

    def __init__(
        self, *, origins: Iterable[str], methods: Iterable[str], key_header: str | None = None
    ) -> None:
        self.origins = frozenset(origins)
        headers = (*SENT, *([key_header] if key_header else []))
        self.headers = [
            (b"access-control-allow-methods", ", ".join(sorted(methods)).encode()),
            (b"access-control-allow-headers", ", ".join(headers).encode()),
            (b"access-control-max-age", str(MAX_AGE_S).encode()),
        ]

    def headers_for(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return the headers of the response to OPTIONS; none if it is no preflight of a page.

        Access-Control-Allow-Origin is Cors's. Chrome asks separately whether a page of the Internet
        may reach an address of a private network.
        """
        headers = Headers(scope=scope)
        asks = "access-control-request-method" in headers
        if not asks or allowed_origin(scope, self.origins) is None:
            return []
        if headers.get("access-control-request-private-network") != "true":
            return self.headers
        return [*self.headers, (b"access-control-allow-private-network", b"true")]


def allowed_origin(scope: Scope, origins: Collection[str]) -> str | None:
    """Return the origin of the page that sent the request, None without one that is allowed."""
    sent = Headers(scope=scope).getlist("origin")
    return sent[0] if len(sent) == 1 and sent[0] in origins else None
