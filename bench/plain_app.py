"""The same app answering on its plain port too: for measuring TLS, and for nothing else.

The service refuses plain HTTP. To learn what TLS costs, `hypercorn --config FILE
bench.plain_app:app` tells the app that what comes in plain came sealed; in production nothing may.
"""

from starlette.types import Receive, Scope, Send

from app import app as sealed_app


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass everything on, its scheme replaced."""
    if scope["type"] == "http":
        scope["scheme"] = "https"
    await sealed_app(scope, receive, send)
