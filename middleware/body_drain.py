"""Reading the rest of a request body before an early response is sent through a proxy."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyDrain:
    """Delays a response until the request body is read, for at most `wait_s` and `max_bytes`.

    A proxy that has the response stops reading the body. A client that reads the response only
    after sending the whole body (httpx) then waits for window, over HTTP/2 forever: it ignores the
    reset that the proxy sends (RFC 9113, section 8.1). HTTP/2 connections to the service itself do
    not need this: server/flow_control.py keeps reading after a response. A body that is sent only
    after 100 Continue is not requested.
    """

    def __init__(self, app: ASGIApp, *, wait_s: float, max_bytes: int) -> None:
        self.app = app
        self.wait_s = wait_s
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["http_version"] == "2" or _is_announced(scope):
            await self.app(scope, receive, send)
            return
        body_complete = False

        async def receive_and_record() -> Message:
            nonlocal body_complete
            message = await receive()
            body_complete = not message.get("more_body", False)
            return message

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start" and not body_complete:
                await self._discard(receive_and_record)
            await send(message)

        await self.app(scope, receive_and_record, send_after_body)

    async def _discard(self, receive: Receive) -> None:
        """Read and discard the rest of the body."""
        discarded = 0
        try:
            async with asyncio.timeout(self.wait_s):
                while discarded <= self.max_bytes:
                    message = await receive()
                    discarded += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return


def _is_announced(scope: Scope) -> bool:
    """Whether the client waits for 100 Continue, which reading the body would send."""
    return any(name == b"expect" for name, _ in scope["headers"])
