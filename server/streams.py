"""One request between its connection and the application: its task and its end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from hypercorn.config import Config
from hypercorn.protocol.events import Event, InformationalResponse, Request, StreamClosed
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream
from hypercorn.typing import AppWrapper, TaskGroup, WorkerContext

from server.body_buffer import BodyBuffer
from server.fair_queue import FairQueue
from server.probes import override

USES = ("hypercorn.protocol.http_stream:HTTPStream.state",)

Client = tuple[str, int] | None
Send = Callable[[Any], Any]

CANCELLED = "sealed.cancelled"
"""The ASGI extension that says why a request was cancelled: its "reason", None if it was not."""

CLIENT_LEFT = "client_left"
SHUTDOWN = "shutdown"


def expects_continue(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a client waits for 100 Continue before it sends the body (RFC 9110, 10.1.1)."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers)


class RequestTask:
    """Runs the application for one request; in place of the task group that HTTPStream expects.

    The application starts when the fair queue lets it, unless `is_closed` by then: a connection
    that is closed ends its requests one by one.
    """

    def __init__(
        self,
        *,
        tasks: TaskGroup,
        fair_queue: FairQueue,
        client: Client,
        body: BodyBuffer,
        is_closed: Callable[[], bool],
        extensions: Mapping[str, Any],
    ) -> None:
        self._tasks = tasks
        self._fair_queue = fair_queue
        self._client = client
        self._body = body
        self._is_closed = is_closed
        self._reason: dict[str, str | None] = {"reason": None}
        self._extensions = {**extensions, CANCELLED: self._reason}
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False

    async def spawn_app(self, app: AppWrapper, config: Config, scope: Any, send: Send) -> Any:
        """Start the application; return how the connection passes it messages."""
        scope["extensions"].update(self._extensions)
        self._tasks.spawn(self._run, app, config, scope, send)
        return self._body.put

    async def _run(self, app: AppWrapper, config: Config, scope: Any, send: Send) -> None:
        self._task = asyncio.current_task()
        try:
            if not self._cancelled:
                await self._serve(app, config, scope, send)
        finally:
            self._task = None  # its exception has frames, which refer to this object

    async def _serve(self, app: AppWrapper, config: Config, scope: Any, send: Send) -> None:
        await self._fair_queue.acquire(self._client)
        if self._is_closed():
            return
        loop = asyncio.get_running_loop()
        in_thread = partial(loop.run_in_executor, None)

        def call_soon(function: Any, *args: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(function(*args), loop).result()

        receive: Any = self._body.get  # Hypercorn types it as one union of all protocols' messages
        try:
            await app(scope, receive, send, in_thread, call_soon)
        except Exception:  # noqa: BLE001 - as Hypercorn does: whatever an application raises
            await config.log.exception("Error in ASGI Framework")
        finally:
            await send(None)

    def when_body_is_wanted(self, call: Callable[[], Awaitable[None]]) -> None:
        """Have a function called once the application waits for body."""
        self._body.wanted = call

    def cancel(self, reason: str) -> None:
        """Cancel the application; if it has not started, it never will."""
        self._cancelled = True
        self._reason["reason"] = reason
        if self._task is not None:
            self._task.cancel()

    @property
    def is_current(self) -> bool:
        """Whether the caller is the application, or called by it."""
        return self._task is not None and asyncio.current_task() is self._task

    @property
    def is_cancelled(self) -> bool:
        """Whether the application is being cancelled, by whomever."""
        return self._task is not None and self._task.cancelling() > 0


class HardenedHTTPStream(HTTPStream):
    """A request whose application is cancelled when its client disconnects or resets it."""

    @override
    def __init__(  # noqa: PLR0917 - Hypercorn's signature
        self,
        app: AppWrapper,
        config: Config,
        context: WorkerContext,
        task_group: Any,
        ssl: bool,  # noqa: FBT001 - Hypercorn's signature
        client: Client,
        server: Client,
        send: Send,
        stream_id: int,
    ) -> None:
        super().__init__(app, config, context, task_group, ssl, client, server, send, stream_id)
        self._request: RequestTask = task_group
        self._returned = False

    @override
    async def handle(self, event: Event) -> None:
        """Pass an event on; cancel the application if it ends an unfinished response.

        Hypercorn only queues a message, which a busy application never reads: resetting streams as
        fast as they open (CVE-2023-44487) left 2,940 handlers running.
        """
        if isinstance(event, Request) and expects_continue(event.headers):
            self._request.when_body_is_wanted(self._send_continue)
        unfinished = not self.closed and self.state is not ASGIHTTPState.CLOSED
        await super().handle(event)
        if (
            isinstance(event, StreamClosed)
            and unfinished
            and not (self._returned and self._request.is_current)
        ):
            self._request.cancel(SHUTDOWN if self.context.terminated.is_set() else CLIENT_LEFT)

    async def _send_continue(self) -> None:
        """Have the client send its body: the application, which has checked the head, waits for it.

        Hypercorn has it sent at once, even for a request that is then refused by its head alone.
        """
        if self.state is ASGIHTTPState.REQUEST and not self.closed:
            await self.send(InformationalResponse(self.stream_id, [], HTTPStatus.CONTINUE))

    @override
    async def app_send(self, message: Any) -> None:
        """Pass on what the application sends, or that it has returned (None)."""
        if message is None:
            self._returned = True
            if self._request.is_cancelled:
                # Hypercorn sends a 500 and waits until it is sent: for ever, if the whole
                # connection is being cancelled, as graceful_timeout does: nothing sends any more.
                if not self.closed:
                    await self.send(StreamClosed(stream_id=self.stream_id))
                return
        await super().app_send(message)


def make_stream(
    connection: H11Protocol | H2Protocol,
    fair_queue: FairQueue,
    stream_id: int,
    body: BodyBuffer,
    *,
    is_closed: Callable[[], bool],
    extensions: Mapping[str, Any],
) -> HardenedHTTPStream:
    """Return a stream of a connection, for a request with these ASGI extensions."""
    request = RequestTask(
        tasks=connection.task_group,
        fair_queue=fair_queue,
        client=connection.client,
        body=body,
        is_closed=is_closed,
        extensions=extensions,
    )
    return HardenedHTTPStream(
        connection.app,
        connection.config,
        connection.context,
        request,
        connection.ssl,
        connection.client,
        connection.server,
        connection.stream_send,
        stream_id,
    )
