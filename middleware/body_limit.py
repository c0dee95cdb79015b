"""How much: a body longer than the function takes is refused, told or counted."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.errors import BodyTooLarge
from middleware.request_context import request_context

MAX_DIGITS = 20  # as h11 takes; more are too large however they end


class BodyLimit:
    """Refuses by Content-Length before a byte is read, and by count where that is missing or lies.

    Raises:
        BodyTooLarge: out of `receive`, or before the function is called.

    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = request_context(scope)
        length = Headers(scope=scope).get("content-length", "")
        # Hypercorn's parsers refuse a length that is no number; int() refuses thousands of digits.
        told = int(length[:MAX_DIGITS]) if length.isdecimal() else self.max_bytes
        if told > self.max_bytes:
            raise BodyTooLarge(self.max_bytes)
        context.expected_bytes = told

        async def receive_counted() -> Message:
            message = await receive()
            context.received_bytes += len(message.get("body", b""))
            if context.received_bytes > self.max_bytes:
                raise BodyTooLarge(self.max_bytes)
            return message

        await self.app(scope, receive_counted, send)
