"""Time limits: for a request body to arrive, and for the whole response."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.errors import BodyTooSlow, DeadlineExceeded
from middleware.request_context import request_context


class Deadline:
    """Cancels a request that takes too long, whatever it is doing at that time.

    A response that has begun is cut off without an exception, since its status is already sent.
    A function can read the deadline from the RequestContext and end its response before it.

    Raises:
        BodyTooSlow: the body was not complete `body_s` seconds after the request began; raised
            from `receive`.
        DeadlineExceeded: no response had begun `total_s` seconds after the request began.

    """

    def __init__(self, app: ASGIApp, *, body_s: float, total_s: float) -> None:
        self.app = app
        self.body_s = body_s
        self.total_s = total_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = asyncio.get_running_loop().time()
        body_deadline = began + self.body_s
        context = request_context(scope)
        context.deadline = began + self.total_s
        body_complete = False
        response_started = False

        async def receive_in_time() -> Message:
            nonlocal body_complete
            if body_complete:  # the only event left is a disconnect, which has no deadline
                return await receive()
            try:
                async with asyncio.timeout_at(body_deadline):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow(self.body_s) from None
            body_complete = not message.get("more_body", False)
            return message

        async def send_and_record(message: Message) -> None:
            nonlocal response_started
            response_started = True
            await send(message)

        deadline = asyncio.timeout(self.total_s)
        try:
            async with deadline:
                await self.app(scope, receive_in_time, send_and_record)
        except TimeoutError:
            if not deadline.expired():
                raise
            if not response_started:
                raise DeadlineExceeded(self.total_s) from None
            context.problem = "deadline_exceeded"
