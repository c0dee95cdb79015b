"""An app that responds at once, on the hardened server: the cost of HTTP/2 and TLS alone.

Only for bench/refusals.py: `hypercorn --config FILE bench.bare_app:app`.
"""

from starlette.types import Receive, Scope, Send

from app import app as sealed_app  # its import readies the transport and the certificate

BODY = b'{"status":"ok"}'


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 200 to everything."""
    if scope["type"] != "http":
        await sealed_app(scope, receive, send)
        return
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
