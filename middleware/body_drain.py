"""Early answers, and the proxies that stop listening to a client once they have one."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class EarlyAnswers:
    """Holds an answer back until the request's body has come, for a bounded time and amount.

    A proxy that has the answer reads no more of the body. A client that reads only when it has
    sent all (httpx) then waits for room, over HTTP/2 for ever: it is told so by a reset
    (RFC 9113, section 8.1), which it doesn't look at. HTTP/2 connections of our own need none of
    this: server/flow_control.py goes on reading after an answer.
    """

    def __init__(self, app: ASGIApp, *, wait_s: float, max_bytes: int) -> None:
        self.app = app
        self.wait_s = wait_s
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["http_version"] == "2":
            await self.app(scope, receive, send)
            return
        ended = False

        async def receive_and_note() -> Message:
            nonlocal ended
            message = await receive()
            ended = not message.get("more_body", False)
            return message

        async def send_after_the_body(message: Message) -> None:
            if message["type"] == "http.response.start" and not ended:
                await self._drop(receive_and_note)
            await send(message)

        await self.app(scope, receive_and_note, send_after_the_body)

    async def _drop(self, receive: Receive) -> None:
        """Read what is still coming."""
        dropped = 0
        try:
            async with asyncio.timeout(self.wait_s):
                while dropped <= self.max_bytes:
                    message = await receive()
                    dropped += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return
