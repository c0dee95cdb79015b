"""The limit on a request body's size."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.errors import BodyTooLarge
from middleware.request_context import request_context

MAX_DIGITS = 20  # h11's limit; a longer number is too large whatever its last digits are


class BodyLimit:
    """Rejects a body by its Content-Length before reading it, and by counting received bytes.

    Raises:
        BodyTooLarge: the body is longer than `max_bytes`; raised before the function is called,
            or from its `receive`.

    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = request_context(scope)
        length = Headers(scope=scope).get("content-length", "")
        # Hypercorn's parsers reject a length that is not a number; int() rejects too many digits.
        declared = int(length[:MAX_DIGITS]) if length.isdecimal() else self.max_bytes
        if declared > self.max_bytes:
            raise BodyTooLarge(self.max_bytes)
        context.expected_bytes = declared

        async def receive_counted() -> Message:
            message = await receive()
            context.received_bytes += len(message.get("body", b""))
            if context.received_bytes > self.max_bytes:
                raise BodyTooLarge(self.max_bytes)
            return message

        await self.app(scope, receive_counted, send)
