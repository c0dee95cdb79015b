"""One request between its connection and the application: its body, its task, its end."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from hypercorn.config import Config
from hypercorn.protocol.events import Event, StreamClosed
from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream
from hypercorn.typing import AppWrapper, TaskGroup, WorkerContext

from server.fair_queue import FairQueue
from server.probes import override

USES = ("hypercorn.protocol.http_stream:HTTPStream.state",)

Client = tuple[str, int] | None
Send = Callable[[Any], Any]

CANCELLED = "sealed.cancelled"
"""The ASGI extension that says why a request was cancelled: its "reason", None if it was not."""

CLIENT_LEFT = "client_left"
SHUTDOWN = "shutdown"

HTTP1_BODY_BYTES = 65_536
"""How much unread body an HTTP/1.1 request buffers before its connection stops reading."""


def is_supported(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether an HTTP/2 request can be served.

    There are no tunnels (CONNECT). HTTPStream decodes the path as ASCII, and an error there would
    end the whole connection.
    """
    pseudo = {name: value for name, value in headers if name.startswith(b":")}
    return pseudo[b":method"] != b"CONNECT" and all(map(bytes.isascii, pseudo.values()))


class BodyBuffer:
    """A request's body on its way from the connection to the application.

    Hypercorn's own queue holds ten messages and makes the connection wait while it is full: on
    HTTP/2 a request that does not read its body then stops all others of its connection, and the
    message that the client has disconnected never arrives. Here an HTTP/2 connection never waits,
    since flow control limits the body; an HTTP/1.1 connection waits while `limit_bytes` are
    buffered, but not at the end; and chunks are joined, so that a flood of empty or tiny frames
    (CVE-2019-9518) takes no memory. `consumed` is called with what the application has taken.
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
            await self._changed.wait()

    def _take(self) -> bytes:
        body = bytes(self._body)
        self._body.clear()
        self._has_space.set()
        if body:
            self._consumed(len(body))
        return body


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
        is_closed: Callable[[], bool] = lambda: False,
        extensions: dict[str, Any] | None = None,
    ) -> None:
        self._tasks = tasks
        self._fair_queue = fair_queue
        self._client = client
        self._body = body
        self._is_closed = is_closed
        self._reason: dict[str, str | None] = {"reason": None}
        self._extensions = {**(extensions or {}), CANCELLED: self._reason}
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False

    async def spawn_app(self, app: AppWrapper, config: Config, scope: Any, send: Send) -> Any:
        """Start the application; return how the connection passes it messages."""
        scope["extensions"].update(self._extensions)
        self._tasks.spawn(self._run, app, config, scope, send)
        return self._body.put

    async def _run(self, app: AppWrapper, config: Config, scope: Any, send: Send) -> None:
        self._task = asyncio.current_task()
        if self._cancelled:
            return
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
        unfinished = not self.closed and self.state is not ASGIHTTPState.CLOSED
        await super().handle(event)
        if (
            isinstance(event, StreamClosed)
            and unfinished
            and not (self._returned and self._request.is_current)
        ):
            self._request.cancel(SHUTDOWN if self.context.terminated.is_set() else CLIENT_LEFT)

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
