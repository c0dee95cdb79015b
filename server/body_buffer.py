"""A request's body on its way from the connection to the application."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

HTTP1_BODY_BYTES = 65_536
"""How much unread body an HTTP/1.1 request buffers before its connection stops reading."""


class BodyBuffer:
    """A request's body on its way from the connection to the application.

    Hypercorn's own queue holds ten messages and makes the connection wait while it is full: on
    HTTP/2 a request that does not read its body then stops all others of its connection, and the
    message that the client has disconnected never arrives. Here an HTTP/2 connection never waits,
    since flow control limits the body; an HTTP/1.1 connection waits while `limit_bytes` are
    buffered; and chunks are joined, so that a flood of empty or tiny frames
    (CVE-2019-9518) takes no memory. `consumed` is called with what the application has taken.
    `wanted`, if set, is called once, when the application waits for body.
    """

    def __init__(
        self, limit_bytes: int | None, consumed: Callable[[int], None] = lambda _amount: None
    ) -> None:
        self._body = bytearray()
        self._ended = False
        self._end_delivered = False
        self._disconnected = False
        self._limit_bytes = limit_bytes
        self._consumed = consumed
        self.wanted: Callable[[], Awaitable[None]] | None = None
        self._changed = asyncio.Event()
        self._has_space = asyncio.Event()

    async def put(self, message: dict[str, Any]) -> None:
        """Add a message of the connection: more body, or that the client has disconnected."""
        if message["type"] == "http.disconnect":
            self._disconnected = True
            self._take()
        elif not self._disconnected:
            self._body += message["body"]
            self._ended = not message["more_body"]
        self._changed.set()
        while self._limit_bytes is not None and len(self._body) >= self._limit_bytes:
            self._has_space.clear()
            await self._has_space.wait()

    async def get(self) -> dict[str, Any]:
        """Return what has arrived since the last call; wait if nothing has."""
        while True:
            if self._disconnected:
                return {"type": "http.disconnect"}
            if self._body or (self._ended and not self._end_delivered):
                self._end_delivered = self._ended
                return {
                    "type": "http.request",
                    "body": self._take(),
                    "more_body": not self._ended,
                }
            self._changed.clear()
            if self.wanted is not None:
                wanted, self.wanted = self.wanted, None
                await wanted()
            await self._changed.wait()

    def _take(self) -> bytes:
        body = bytes(self._body)
        self._body.clear()
        self._has_space.set()
        if body:
            self._consumed(len(body))
        return body
