"""One line of JSON an answer: who, which function, how much, how long. Never what."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.log import entry
from middleware.request_context import address_of, request_context


class AccessLog:
    """Gives each request its id and logs it when its answer is sent or its client has left."""

    def __init__(self, app: ASGIApp, *, write: Callable[[str], None]) -> None:
        self.app = app
        self.write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = request_context(scope)
        context.headers.append((b"x-request-id", context.request_id.encode()))
        started = time.perf_counter()
        status: int | None = None
        complete = False

        async def send_and_note(message: Message) -> None:
            nonlocal status, complete
            await send(message)
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                complete = not message.get("more_body", False)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            elapsed_ms = round((time.perf_counter() - started) * 1000, 1)
            rare = {name: getattr(context, name) for name in ("why", "fault")}
            self.write(
                entry(
                    request_id=context.request_id,
                    address=address_of(scope),
                    key=context.key_name,
                    function=context.function,
                    http=scope.get("http_version"),
                    status=status,
                    complete=complete,
                    problem=context.problem,
                    bytes=context.received_bytes,
                    images=context.images,
                    pages=context.pages,
                    lines=context.lines,
                    ms=elapsed_ms,
                    **{name: value for name, value in rare.items() if value},
                )
            )


class Named:
    """Tells the log which function a request reached."""

    def __init__(self, app: ASGIApp, *, name: str) -> None:
        self.app = app
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_context(scope).function = self.name
        await self.app(scope, receive, send)
