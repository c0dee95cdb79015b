"""The same app with its plain HTTP port enabled: only for measuring what TLS costs.

The service refuses plain HTTP. `hypercorn --config FILE bench.plain_app:app` tells the app that
plain requests came over TLS; never do that in production.
"""

from starlette.types import Receive, Scope, Send

from app import app as sealed_app


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass everything on, its scheme replaced."""
    if scope["type"] == "http":
        scope["scheme"] = "https"
    await sealed_app(scope, receive, send)
