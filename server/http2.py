"""HTTP/2 connections that survive early replies, unread bodies, full tables and their own end."""

from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

import h2.events
import h2.exceptions
from h2.errors import ErrorCodes
from hypercorn.events import Closed, Updated
from hypercorn.events import Event as ConnectionEvent
from hypercorn.protocol.events import Body, Event, StreamClosed

from server.flood_guard import FIELDS, FIELDS_A_FRAME, RESET_COSTS, WAITING_A_FRAME
from server.flow_control import UploadLimits, Uploads
from server.h2_settings import announce
from server.paced import FloodGuardedH2Protocol
from server.send_timeouts import SendTimeouts
from server.streams import is_taken

CRUMB_BYTES = 1024


class HardenedH2Protocol(FloodGuardedH2Protocol):
    """Hypercorn's HTTP/2 connection with its receiving side and its end rewritten."""

    limits: ClassVar[UploadLimits]
    send_timeout_s: ClassVar[float]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        announce(self.connection, self.config, self.limits.stream_window_bytes)
        self.send_timeouts = SendTimeouts(
            self.send_timeout_s, partial(self.task_group.spawn, self._give_up)
        )
        self.uploads = Uploads(self.connection, self.limits, self._flush_soon)
        self._flushing = False
        self._ending = False
        self._retired = False

    async def initiate(self, headers: Any = None, settings: Any = None) -> None:
        """Open the connection, and its window."""
        await super().initiate(headers, settings)
        self.uploads.open_connection()
        await self._flush()

    async def handle(self, event: ConnectionEvent) -> None:
        """Pass on what came from the socket."""
        await super().handle(event)
        if isinstance(event, Closed):
            self.uploads.stop_all()
            self.send_timeouts.stop_all()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way.

        Stock forgets a reply's last frame, and can close before it is sent.
        """
        return not self._busy

    @property
    def _busy(self) -> set[int]:
        """The streams with anything left to do, in either direction."""
        return self.streams.keys() | self.stream_buffers.keys() | self.uploads.stream_ids

    # Receiving

    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        opened: set[int] = set()  # windows: each is looked at once, however many frames opened it
        for event in events:
            match event:
                case h2.events.RequestReceived():
                    await self._request_received(event)
                case h2.events.DataReceived():
                    await self._data_received(event)
                case h2.events.WindowUpdated():
                    opened.add(event.stream_id)
                case h2.events.RemoteSettingsChanged():
                    opened.add(0)
                case h2.events.StreamEnded() | h2.events.StreamReset():
                    await self._stream_over(event)
                case h2.events.ConnectionTerminated():
                    await super()._handle_events([event])
                # Priorities are not heeded (RFC 9113, section 5.3.1): stock builds a tree of what
                # a client says, of up to a thousand streams, and dies of one more.
        await self._windows_opened(opened)
        await self._flush()

    async def _windows_opened(self, stream_ids: set[int]) -> None:
        """Go on with answers for which there is room, and more of it than for a crumb.

        A byte of window now and then would cost us a frame each (RFC 9293, section 3.8.6.2: the
        silly window syndrome).
        """
        waiting = set(self.stream_buffers) if 0 in stream_ids else stream_ids
        self.budget.spend(len(waiting) // WAITING_A_FRAME)
        for stream_id in waiting:
            left = self._waiting(stream_id)
            with suppress(h2.exceptions.ProtocolError):
                if self.connection.local_flow_control_window(stream_id) >= min(left, CRUMB_BYTES):
                    await self._window_updated(stream_id)

    async def _stream_over(self, event: h2.events.StreamEnded | h2.events.StreamReset) -> None:
        await super()._handle_events([event])
        self.uploads.end(event.stream_id)
        if isinstance(event, h2.events.StreamReset) and not event.remote_reset:
            self.budget.spend(RESET_COSTS)  # its frames made us reset it (CVE-2025-8671)

    async def _request_received(self, event: h2.events.RequestReceived) -> None:
        ending = self.context.terminated.is_set()
        # Who came just before the end gets what it came for (HardenedTCPServer._idle_timeout).
        if self._full or (ending and self.keep_alive_requests):
            # Refused means: not looked at, safe to send again (RFC 9113, section 8.7).
            self.uploads.reset(event.stream_id, ErrorCodes.REFUSED_STREAM)
            self.budget.spend(RESET_COSTS)
            return
        self.budget.spend(max(0, len(event.headers) - FIELDS) // FIELDS_A_FRAME)
        if not is_taken(event.headers):
            self.budget.spend(RESET_COSTS)
            self.uploads.reset(event.stream_id, ErrorCodes.PROTOCOL_ERROR)
            return
        self.uploads.begin(event.stream_id)
        await self._create_stream(event)
        await self.send(Updated(idle=False))
        if ending or self.keep_alive_requests >= self.config.keep_alive_max_requests:
            await self.go_away()

    @property
    def _full(self) -> bool:
        """Whether one more stream is too many: at a time, or on a connection that is to end.

        h2's own count is no help: it has parsed later streams of the same read already.
        """
        return (
            self._retired
            or len(self._busy) >= self.config.h2_max_concurrent_streams
            or self.keep_alive_requests >= 2 * self.config.keep_alive_max_requests
        )

    async def _data_received(self, event: h2.events.DataReceived) -> None:
        """Pass a piece of body on, or drop it if its request has been answered already.

        Stock raises KeyError for the latter, and every stream of the connection dies with it
        (Hypercorn #329, with fixes proposed in #312, #334, #365).
        """
        stream = self.streams.get(event.stream_id)
        if stream is None:
            self.uploads.discard(event.stream_id, event.flow_controlled_length)
            return
        padding = event.flow_controlled_length - len(event.data)
        if padding:
            self.uploads.give_back(event.stream_id, padding)
        await stream.handle(Body(stream_id=event.stream_id, data=event.data))

    # Sending

    async def stream_send(self, event: Event) -> None:
        """Pass on what a stream sends; end it properly when it is over."""
        if not isinstance(event, StreamClosed):
            await super().stream_send(event)
            return
        await self._close_stream(event.stream_id)
        buffer = self.stream_buffers.get(event.stream_id)
        if buffer is not None and not buffer._complete:  # noqa: SLF001
            # The application stopped halfway: without this the client would wait for ever.
            self.uploads.reset(event.stream_id, ErrorCodes.INTERNAL_ERROR)
            await self._window_updated(event.stream_id)
        await self._flush()
        await self._rest()

    async def _send_data(self, stream_id: int) -> None:
        waiting = self._waiting(stream_id)
        await super()._send_data(stream_id)
        left = self._waiting(stream_id)
        self.send_timeouts.note(stream_id, max(0, waiting - left), left)
        self.budget.earn(max(0, waiting - left))
        if stream_id not in self.stream_buffers:
            self.uploads.answered(stream_id)
            await self._rest()

    def _waiting(self, stream_id: int) -> int:
        """Return how much of an answer waits to be sent."""
        buffer = self.stream_buffers.get(stream_id)
        return 0 if buffer is None else len(buffer.buffer)

    async def _give_up(self, stream_id: int) -> None:
        """End a stream whose client doesn't take its answer."""
        self.uploads.reset(stream_id, ErrorCodes.CANCEL)
        await self._close_stream(stream_id)
        await self._window_updated(stream_id)
        await self._flush()

    async def _rest(self) -> None:
        """Tell the connection whether it is idle; close it if so and it has to end."""
        if self.idle and (self._ending or self.context.terminated.is_set()):
            with suppress(h2.exceptions.ProtocolError):
                self.connection.close_connection()
            await self._flush()
            await self.send(Closed())
        else:
            await self.send(Updated(idle=self.idle))

    async def go_away(self) -> None:
        """End the connection, with a GOAWAY, as soon as nothing is under way.

        Stock says GOAWAY at once, and loses every reply under way: h2 sends nothing after it, nor
        does an h2 client (httpx) read on. So RFC 9113's early GOAWAY (6.8) is no choice either.
        """
        self._ending = True
        if not self.closed:
            await self._rest()

    async def retire(self) -> None:
        """Finish what is under way and take nothing more."""
        self._retired = True
        await self.go_away()

    def _flush_soon(self) -> None:
        """Send what h2 has to say, without making the caller wait for a slow client."""
        if not self._flushing and not self.closed:
            self._flushing = True
            self.task_group.spawn(self._flush_now)

    async def _flush_now(self) -> None:
        self._flushing = False
        await self._flush()
        if self.idle and not self.closed:
            await self._rest()
