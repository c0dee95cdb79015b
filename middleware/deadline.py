"""How long: a body has so many seconds to arrive, an answer so many to leave."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.errors import BodyTooSlow, DeadlineExceeded
from middleware.request_context import request_context


class Deadline:
    """Ends a request that takes too long, wherever it is: reading, waiting, working or sending.

    Raises:
        BodyTooSlow: out of `receive`, `body_s` after the request began.
        DeadlineExceeded: `total_s` after it began, where no answer has begun. One that has begun is
            cut off, without an exception: nobody could be told. An answer that takes long finds
            the time it is due in the RequestContext and may end itself before.

    """

    def __init__(self, app: ASGIApp, *, body_s: float, total_s: float) -> None:
        self.app = app
        self.body_s = body_s
        self.total_s = total_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = asyncio.get_running_loop().time()
        body_due = began + self.body_s
        context = request_context(scope)
        context.due = began + self.total_s
        body_complete = False
        answering = False

        async def receive_in_time() -> Message:
            nonlocal body_complete
            if body_complete:  # what is waited for now is the client leaving: no deadline
                return await receive()
            try:
                async with asyncio.timeout_at(body_due):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow(self.body_s) from None
            body_complete = not message.get("more_body", False)
            return message

        async def send_and_note(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        deadline = asyncio.timeout(self.total_s)
        try:
            async with deadline:
                await self.app(scope, receive_in_time, send_and_note)
        except TimeoutError:
            if not deadline.expired():
                raise
            if not answering:
                raise DeadlineExceeded(self.total_s) from None
            context.problem = "deadline_exceeded"
