"""HTTP/2 connections that survive early replies, unread bodies, full tables and their own end."""

from contextlib import suppress
from typing import Any, ClassVar

import h2.events
import h2.exceptions
import h2.settings
from h2.errors import ErrorCodes
from hypercorn.events import Closed, Updated
from hypercorn.events import Event as ConnectionEvent
from hypercorn.protocol.events import Body, Event, StreamClosed
from hypercorn.protocol.h2 import H2Protocol

from tls.uploads import UploadLimits, Uploads

Settings = h2.settings.SettingCodes

STREAMS_IN_ONE_READ = 1_000
"""How far beyond its limit a client may open streams before its connection is closed.

Each is refused alone, but h2 parses a whole read (64 KiB) before it hands out the first event.
"""


class LenientSettings(h2.settings.Settings):
    """Settings that announce one limit of streams and let h2 accept some more, to refuse them.

    h2 closes the whole connection at the first stream too many (Hypercorn #335), where RFC 9113,
    section 5.1.2, asks for a stream error.
    """

    @property
    def max_concurrent_streams(self) -> int:
        """The limit h2 enforces; the one announced is in the mapping."""
        announced: int = self[Settings.MAX_CONCURRENT_STREAMS]
        return announced + STREAMS_IN_ONE_READ

    @max_concurrent_streams.setter
    def max_concurrent_streams(self, announced: int) -> None:
        self[Settings.MAX_CONCURRENT_STREAMS] = announced


class SealedH2Protocol(H2Protocol):
    """Hypercorn's HTTP/2 connection with its receiving side and its end rewritten."""

    limits: ClassVar[UploadLimits]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # WebSockets over HTTP/2 are not announced: their bodies would bypass the windows.
        self.connection.local_settings = LenientSettings(
            client=False,
            initial_values={
                Settings.MAX_CONCURRENT_STREAMS: self.config.h2_max_concurrent_streams,
                Settings.MAX_HEADER_LIST_SIZE: self.config.h2_max_header_list_size,
                Settings.INITIAL_WINDOW_SIZE: self.limits.stream_window_bytes,
                # Hypercorn has a setting for it, and announces 16 KiB whatever that says.
                Settings.MAX_FRAME_SIZE: self.config.h2_max_inbound_frame_size,
            },
        )
        self.connection.max_inbound_frame_size = self.config.h2_max_inbound_frame_size
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
        for event in events:
            if isinstance(event, h2.events.RequestReceived):
                await self._request_received(event)
            elif isinstance(event, h2.events.DataReceived):
                await self._data_received(event)
            else:
                await super()._handle_events([event])
                if isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                    self.uploads.end(event.stream_id)
        await self._flush()

    async def _request_received(self, event: h2.events.RequestReceived) -> None:
        if self._full or self.context.terminated.is_set():
            # Refused means: not looked at, safe to send again (RFC 9113, section 8.7).
            self.uploads.reset(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        pseudo = {name: value for name, value in event.headers if name.startswith(b":")}
        if pseudo[b":method"] == b"CONNECT" or not all(map(bytes.isascii, pseudo.values())):
            # Nothing here opens tunnels. HTTPStream decodes the path as ASCII, and would take
            # the whole connection down with it.
            self.uploads.reset(event.stream_id, ErrorCodes.PROTOCOL_ERROR)
            return
        self.uploads.begin(event.stream_id)
        await self._create_stream(event)
        await self.send(Updated(idle=False))
        if self.keep_alive_requests >= self.config.keep_alive_max_requests:
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
        await super()._send_data(stream_id)
        if stream_id not in self.stream_buffers:
            self.uploads.answered(stream_id)
            await self._rest()

    async def _rest(self) -> None:
        """Tell the connection whether it is idle; close it if it is and has to end."""
        if self.idle and (self._ending or self.context.terminated.is_set()):
            with suppress(h2.exceptions.ProtocolError):
                self.connection.close_connection()
            await self._flush()
            await self.send(Closed())
        else:
            await self.send(Updated(idle=self.idle))

    async def go_away(self) -> None:
        """End the connection, with a GOAWAY, as soon as nothing is under way.

        Stock says GOAWAY at once when keep_alive_max_requests is reached, and loses every reply
        under way, as h2 sends nothing after it. Nor does an h2 client (httpx) read anything after
        it: so RFC 9113's early GOAWAY (section 6.8) is no choice either.
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
