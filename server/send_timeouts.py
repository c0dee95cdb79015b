"""The sending side of an HTTP/2 connection, and responses that wait for their client's window."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import h2.exceptions
from h2.errors import ErrorCodes
from hypercorn.events import Closed, Updated
from hypercorn.protocol.events import EndBody, EndData, Event, Response, StreamClosed

from server.closures import Closure, Closures
from server.flood_guard import FloodGuardedH2Protocol
from server.flow_control import FlowControl, RetainedWindows
from server.network_limit import NetworkLimit
from server.options import ServerOptions
from server.probes import override

USES = (
    "h2.stream:H2Stream._expected_content_length",
    "hypercorn.protocol.h2:H2Protocol._close_stream(self, stream_id)",
    "hypercorn.protocol.h2:H2Protocol._flush(self)",
    "hypercorn.protocol.h2:H2Protocol._window_updated(self, stream_id)",
    "hypercorn.protocol.h2:H2Protocol.stream_buffers",
    "hypercorn.protocol.h2:H2Protocol.streams",
    "hypercorn.protocol.h2:StreamBuffer.buffer",
)

PROGRESS_BYTES = 16_384
"""A client that reads so much of a response within the timeout makes progress: one TLS record."""


@dataclass(slots=True)
class SendTimeout:
    """A response that waits: its deadline, and how much was sent since that was set."""

    deadline: asyncio.TimerHandle
    sent: int = 0


class SendTimeouts:
    """The responses of a connection that wait for their client's window.

    A client that opens no window, or a byte of it now and then (CVE-2019-9511, 9517), would hold
    request, task and response for ever: a refusal has no deadline of its own.
    """

    def __init__(self, timeout_s: float, expired: Callable[[int], None]) -> None:
        self._timeout_s = timeout_s
        self._expired = expired
        self._waiting: dict[int, SendTimeout] = {}
        self._closed = False

    def update(self, stream_id: int, sent: int, left: int) -> None:
        """Note how much of a response has been sent now, and how much is left to send."""
        timeout = self._waiting.get(stream_id)
        if timeout is not None:
            timeout.sent += sent
            if left and timeout.sent < PROGRESS_BYTES:
                return
            self._cancel(stream_id)
        if left and not self._closed:  # a task may still be sending when its connection has closed
            loop = asyncio.get_running_loop()
            deadline = loop.call_later(self._timeout_s, self._expire, stream_id)
            self._waiting[stream_id] = SendTimeout(deadline)

    def close(self) -> None:
        """Cancel all timeouts: the connection is closed."""
        self._closed = True
        for stream_id in list(self._waiting):
            self._cancel(stream_id)

    def _cancel(self, stream_id: int) -> None:
        timeout = self._waiting.pop(stream_id, None)
        if timeout is not None:
            timeout.deadline.cancel()

    def _expire(self, stream_id: int) -> None:
        del self._waiting[stream_id]
        self._expired(stream_id)


class SendingH2Protocol(FloodGuardedH2Protocol):
    """Hypercorn's HTTP/2 connection, whose responses are sent to their end, or time out."""

    def __init__(
        self,
        *args: Any,
        options: ServerOptions,
        network_limit: NetworkLimit,
        retained_windows: RetainedWindows,
        closures: Closures,
    ) -> None:
        super().__init__(
            *args,
            network_limit=network_limit,
            control_frames_per_s=options.control_frames_per_s,
            closures=closures,
        )
        self.send_timeouts = SendTimeouts(
            options.send_timeout_s, partial(self.task_group.spawn, self._time_out)
        )
        self.flow_control = FlowControl(
            self.connection, options, retained_windows, self._flush_soon
        )
        self._complete: set[int] = set()  # streams whose response is buffered to its end
        self._flush_scheduled = False
        self._going_away = False

    @property
    @override
    def idle(self) -> bool:
        """Whether no stream is open.

        Hypercorn forgets a response's last frame, and can close before it is sent.
        """
        return not self.open_streams

    @property
    def open_streams(self) -> set[int]:
        """The streams with anything left to do, in either direction."""
        return self.streams.keys() | self.stream_buffers.keys() | self.flow_control.stream_ids

    @override
    async def stream_send(self, event: Event) -> None:
        """Pass on what a stream sends; end it properly when it is closed."""
        if isinstance(event, Response):
            self._accept_short_body(event.stream_id)
        elif isinstance(event, EndBody | EndData):
            self._complete.add(event.stream_id)
        if not isinstance(event, StreamClosed):
            await super().stream_send(event)
            return
        await self._close_stream(event.stream_id)
        if event.stream_id in self.stream_buffers and event.stream_id not in self._complete:
            # The application stopped halfway: without a reset the client would wait for ever.
            self.flow_control.reset(event.stream_id, ErrorCodes.INTERNAL_ERROR)
            await self._window_updated(event.stream_id)
        self._complete.discard(event.stream_id)
        await self._flush()
        await self._update_idle()

    def _accept_short_body(self, stream_id: int) -> None:
        """Let a client end its upload early, once its response has begun.

        curl ends a refused upload so, and h2 closes the whole connection for a body that differs
        from its Content-Length, where RFC 9113, section 8.1.1, has a stream error.
        """
        stream = self.connection.streams.get(stream_id)
        if stream is not None:
            stream._expected_content_length = None  # noqa: SLF001

    @override
    async def _send_data(self, stream_id: int) -> None:
        before = self.unsent(stream_id)
        await super()._send_data(stream_id)
        left = self.unsent(stream_id)
        sent = max(0, before - left)
        self.send_timeouts.update(stream_id, sent, left)
        self.budget.earn_by_sending(sent)
        if stream_id not in self.stream_buffers:
            self.flow_control.response_sent(stream_id)
            await self._update_idle()

    def unsent(self, stream_id: int) -> int:
        """Return how many bytes of a response wait to be sent."""
        buffer = self.stream_buffers.get(stream_id)
        return 0 if buffer is None else len(buffer.buffer)

    async def _time_out(self, stream_id: int) -> None:
        """End a stream whose client does not read its response."""
        self.closures.count(Closure.RESPONSE_TIMEOUT)
        self.flow_control.reset(stream_id, ErrorCodes.CANCEL)
        await self._close_stream(stream_id)
        await self._window_updated(stream_id)
        await self._flush()

    async def _update_idle(self) -> None:
        """Report whether the connection is idle; close it if it is and has to end."""
        if self.idle and (self._going_away or self.context.terminated.is_set()):
            with suppress(h2.exceptions.ProtocolError):
                self.connection.close_connection()
            await self._flush()
            await self.send(Closed())
        else:
            await self.send(Updated(idle=self.idle))

    async def go_away(self) -> None:
        """End the connection, with a GOAWAY, as soon as no stream is open.

        Hypercorn sends GOAWAY at once, and loses every open response: h2 sends nothing after it,
        nor does an h2 client (httpx) read on. So RFC 9113's early GOAWAY (6.8) is no option either.
        """
        self._going_away = True
        if not self.closed:
            await self._update_idle()

    def _flush_soon(self) -> None:
        """Send what h2 has to send, without making the caller wait for a slow client."""
        if not self._flush_scheduled and not self.closed:
            self._flush_scheduled = True
            self.task_group.spawn(self._flush_now)

    async def _flush_now(self) -> None:
        self._flush_scheduled = False
        await self._flush()
        if self.idle and not self.closed:
            await self._update_idle()
