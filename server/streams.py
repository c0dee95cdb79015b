"""One request between Hypercorn's connection and the application: its body, its task, its end."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from hypercorn.asyncio.task_group import _handle
from hypercorn.protocol.events import Event, StreamClosed
from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream

from server.fair_queue import FairQueue
from server.flow_control import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EXTENSION = "sealed.receive_window"
"""The ASGI extension by which an application lets a client send faster (HTTP/2 only)."""

HTTP1_BODY_BYTES = 65_536
"""How much unread body HTTP/1.1 holds before it stops reading: one read from the socket."""


def is_taken(headers: "Iterable[tuple[bytes, bytes]]") -> bool:
    """Whether an HTTP/2 request can be handed on.

    Nothing here opens tunnels. HTTPStream decodes the path as ASCII, and would take the whole
    connection down with it.
    """
    pseudo = {name: value for name, value in headers if name.startswith(b":")}
    return pseudo[b":method"] != b"CONNECT" and all(map(bytes.isascii, pseudo.values()))


class Inbox:
    """A request's body on its way to the application.

    Hypercorn's own queue holds ten messages and makes the connection wait for room: on HTTP/2 a
    request that is not being read then stops all others of its connection, and the message that
    the client has left never arrives. Here an HTTP/2 body waits for nobody, since its flow
    control window bounds it; an HTTP/1.1 body waits for room, but its end does not; and chunks
    are joined, so that a flood of empty frames (CVE-2019-9518) or tiny ones takes no memory.
    """

    def __init__(self, limit_bytes: int | None, taken: "Callable[[int], None]") -> None:
        self._body = bytearray()
        self._ended = False
        self._told_end = False
        self._gone = False
        self._limit_bytes = limit_bytes
        self._taken = taken
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, message: dict[str, Any]) -> None:
        """Take a message from the connection: more body, or that the client is gone."""
        if message["type"] == "http.disconnect":
            self._gone = True
            self._take()
        elif not self._gone:
            self._body += message["body"]
            self._ended = not message["more_body"]
        self._news.set()
        while self._limit_bytes is not None and len(self._body) >= self._limit_bytes:
            self._room.clear()
            await self._room.wait()

    async def get(self) -> dict[str, Any]:
        """Give the application what has come since it last asked; wait if nothing has."""
        while True:
            if self._gone:
                return {"type": "http.disconnect"}
            if self._body or (self._ended and not self._told_end):
                self._told_end = self._ended
                return {
                    "type": "http.request",
                    "body": self._take(),
                    "more_body": not self._ended,
                }
            self._news.clear()
            await self._news.wait()

    def _take(self) -> bytes:
        body = bytes(self._body)
        self._body.clear()
        self._room.set()
        if body:
            self._taken(len(body))
        return body


class HardenedHTTPStream(HTTPStream):
    """A request that waits its turn, ends with its client, and whose body blocks nobody."""

    turns: ClassVar[FairQueue]

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        # HTTPStream asks its task group to start the application: here it asks itself.
        self._tasks = self.task_group
        self.task_group = self  # type: ignore[assignment]
        self._application: asyncio.Task[None] | None = None
        self._returned = False

    async def spawn_app(self, app: Any, config: Any, scope: Any, send: Any) -> Any:
        """Start the application on this request; return how the connection feeds it."""
        inbox = Inbox(HTTP1_BODY_BYTES, lambda _amount: None)
        # What this stream sends goes to its connection: HTTP/2 ones know about windows.
        connection = getattr(self.send, "__self__", None)
        uploads = getattr(connection, "uploads", None)
        if isinstance(uploads, Uploads):
            inbox = Inbox(None, partial(uploads.give_back, self.stream_id))
            scope["extensions"][EXTENSION] = {"grow": partial(uploads.grow, self.stream_id)}
        loop = asyncio.get_running_loop()

        def call_soon(function: Any, *given: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(function(*given), loop).result()

        in_thread = partial(loop.run_in_executor, None)
        receive: Any = inbox.get  # Hypercorn types it as one union of all protocols' messages

        async def handle_in_turn() -> None:
            await self.turns.take(self.client)
            if getattr(connection, "closed", False):
                return  # which ends its requests one by one: this one's turn came first
            await _handle(app, config, scope, receive, send, in_thread, call_soon)

        self._application = self._tasks._task_group.create_task(handle_in_turn())  # type: ignore[attr-defined]  # noqa: SLF001
        return inbox.put

    async def handle(self, event: Event) -> None:
        """Pass an event on; cancel the application if it ends an unfinished response.

        Stock only queues a message, which an application busy elsewhere never asks for: resetting
        streams as fast as they open (CVE-2023-44487) left 2,940 handlers running.
        """
        unfinished = not self.closed and self.state is not ASGIHTTPState.CLOSED
        await super().handle(event)
        if (
            isinstance(event, StreamClosed)
            and unfinished
            and self._application is not None
            and not (self._returned and asyncio.current_task() is self._application)
        ):
            self._application.cancel()

    async def app_send(self, message: Any) -> None:
        """Pass on what the application sends, or that it has returned (None)."""
        if message is None:
            self._returned = True
            if self._cancelled:
                # Stock sends a 500 and waits until it is out: for ever, if the whole connection
                # is being cancelled, as graceful_timeout does. Then nobody sends any more.
                if not self.closed:
                    await self.send(StreamClosed(stream_id=self.stream_id))
                return
        await super().app_send(message)

    @property
    def _cancelled(self) -> bool:
        return self._application is not None and self._application.cancelling() > 0
