"""HTTP/2 connections that survive early replies, unread bodies, full tables and their own end."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from h2.errors import ErrorCodes
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol.events import Body, Event, StreamClosed
from hypercorn.protocol.h2 import H2Protocol
from hyperframe.frame import GoAwayFrame

from tls.windows import ReceiveWindow

Settings = h2.settings.SettingCodes

STREAMS_IN_ONE_READ = 1_000
"""How far beyond its limit a client may open streams before its connection is closed.

Each is refused alone, but h2 parses a whole read (64 KiB) before it hands out the first event.
"""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much of a body a client may send ahead, and how long we listen after a reply."""

    stream_window_bytes: int
    connection_window_bytes: int
    discard_bytes: int
    linger_s: float


@dataclass(slots=True)
class Upload:
    """The sending half of one client's stream."""

    window: ReceiveWindow
    grown: int = 0
    discarded: int = 0
    deadline: asyncio.TimerHandle | None = field(default=None, repr=False)


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
    """Hypercorn's HTTP/2 connection with its upload side rewritten."""

    limits: ClassVar[UploadLimits]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.connection.local_settings = LenientSettings(
            client=False,
            initial_values={
                Settings.MAX_CONCURRENT_STREAMS: self.config.h2_max_concurrent_streams,
                Settings.MAX_HEADER_LIST_SIZE: self.config.h2_max_header_list_size,
                Settings.INITIAL_WINDOW_SIZE: self.limits.stream_window_bytes,
            },
        )
        self._window = ReceiveWindow(self.connection.inbound_flow_control_window)
        self._uploads: dict[int, Upload] = {}
        self._flushing = False
        self._going_away = False

    async def initiate(self, headers: Any = None, settings: Any = None) -> None:
        """Open the connection and its window: 64 KiB is Hypercorn's fixed choice."""
        await super().initiate(headers, settings)
        extra = self._window.grow(self.limits.connection_window_bytes - self._window.size)
        if extra:
            self.connection.increment_flow_control_window(extra)
            await self._flush()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way. Stock forgets a reply's last frame, and can close on it."""
        return not self.streams and not self.stream_buffers

    # Requests

    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        for event in events:
            if isinstance(event, h2.events.RequestReceived):
                await self._request_received(event)
            elif isinstance(event, h2.events.DataReceived):
                await self._data_received(event)
            else:
                await super()._handle_events([event])
                if isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                    self._upload_over(event.stream_id)
        await self._flush()

    async def _request_received(self, event: h2.events.RequestReceived) -> None:
        stream_id = event.stream_id
        too_many = self.connection.open_inbound_streams > self.config.h2_max_concurrent_streams
        if too_many or self._going_away or self.context.terminated.is_set():
            # Refused means: not looked at, safe to send again (RFC 9113, section 8.7).
            self._reset(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        pseudo = {name: value for name, value in event.headers if name.startswith(b":")}
        if pseudo[b":method"] == b"CONNECT" or not all(map(bytes.isascii, pseudo.values())):
            # Nothing here opens tunnels. HTTPStream decodes the path as ASCII, and would take
            # the whole connection down with it.
            self._reset(stream_id, ErrorCodes.PROTOCOL_ERROR)
            return
        self._uploads[stream_id] = Upload(ReceiveWindow(self.limits.stream_window_bytes))
        await self._create_stream(event)
        await self.send(Updated(idle=False))
        # Stock closes h2's state machine here, which loses every reply under way.
        if self.keep_alive_requests >= self.config.keep_alive_max_requests:
            await self.go_away()

    async def _data_received(self, event: h2.events.DataReceived) -> None:
        """Pass a piece of body on, or drop it if its request has been answered already.

        Stock raises KeyError for the latter, and every stream of the connection dies with it
        (Hypercorn #329, with fixes proposed in #312, #334, #365).
        """
        stream = self.streams.get(event.stream_id)
        if stream is None:
            self._discard(event.stream_id, event.flow_controlled_length)
            return
        padding = event.flow_controlled_length - len(event.data)
        if padding:
            self.give_back(event.stream_id, padding)
        await stream.handle(Body(stream_id=event.stream_id, data=event.data))

    # Flow control

    def give_back(self, stream_id: int, amount: int) -> None:
        """Let the client send that many bytes more, as they have been taken or dropped."""
        due = self._window.give_back(amount)
        if due:
            self.connection.increment_flow_control_window(due)
        upload = self._uploads.get(stream_id)
        if upload is not None and self._receiving(stream_id):
            due = upload.window.give_back(amount)
            if due:
                self.connection.increment_flow_control_window(due, stream_id)
        self._flush_soon()

    def grow(self, stream_id: int, window_bytes: int) -> None:
        """Let the client have that many bytes of this stream under way.

        The connection's window grows along, so that one upload takes nothing from the others;
        it shrinks again when the stream is over.
        """
        upload = self._uploads.get(stream_id)
        if upload is None or not self._receiving(stream_id):
            return
        extra = self._window.grow(window_bytes - upload.window.size)
        if extra:
            upload.grown += upload.window.grow(extra)
            self.connection.increment_flow_control_window(extra)
            self.connection.increment_flow_control_window(extra, stream_id)
            self._flush_soon()

    def _receiving(self, stream_id: int) -> bool:
        stream = self.connection.streams.get(stream_id)
        return stream_id in self._uploads and stream is not None and not stream.closed

    def _upload_over(self, stream_id: int) -> None:
        upload = self._uploads.pop(stream_id, None)
        if upload is not None:
            self._window.shrink(upload.grown)
            if upload.deadline is not None:
                upload.deadline.cancel()

    # Replies that come before the request is complete

    def _discard(self, stream_id: int, amount: int) -> None:
        """Drop late body and give its room back.

        So a client that reads only once it has sent all (httpx does) gets its answer, and the
        connection's window doesn't run dry.
        """
        self.give_back(stream_id, amount)
        upload = self._uploads.get(stream_id)
        if upload is not None:
            upload.discarded += amount
            if upload.discarded > self.limits.discard_bytes:
                self._stop_upload(stream_id)

    def _linger(self, stream_id: int) -> None:
        """Listen on for a while, now that the reply is out and the client still sends."""
        upload = self._uploads.get(stream_id)
        if upload is not None and upload.deadline is None:
            upload.deadline = asyncio.get_running_loop().call_later(
                self.limits.linger_s, self._stop_upload, stream_id
            )

    def _stop_upload(self, stream_id: int) -> None:
        # NO_ERROR asks the client to stop and to keep the reply (RFC 9113, section 8.1).
        if self._receiving(stream_id) and not self.closed:
            self._reset(stream_id, ErrorCodes.NO_ERROR)
            self._flush_soon()

    def _reset(self, stream_id: int, code: ErrorCodes) -> None:
        # A protocol error here: the stream or the connection is over already.
        with suppress(h2.exceptions.ProtocolError):
            self.connection.reset_stream(stream_id, code)
        self._upload_over(stream_id)

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
            self._reset(event.stream_id, ErrorCodes.INTERNAL_ERROR)
            await self._window_updated(event.stream_id)
        await self._flush()
        await self._rest()

    async def _send_data(self, stream_id: int) -> None:
        await super()._send_data(stream_id)
        if stream_id not in self.stream_buffers:
            if self._receiving(stream_id):
                self._linger(stream_id)
            await self._rest()

    async def _rest(self) -> None:
        """Tell the connection whether it is idle; close it if it is and nothing may follow."""
        if self.idle and self._going_away:
            await self.send(Closed())
        else:
            await self.send(Updated(idle=self.idle))

    async def go_away(self) -> None:
        """Take no further stream, finish those under way, then close (RFC 9113, section 6.8).

        h2's own close_connection would refuse to send anything after its GOAWAY.
        """
        if self._going_away or self.closed:
            return
        self._going_away = True
        last = self.connection.highest_inbound_stream_id
        frame = GoAwayFrame(stream_id=0, last_stream_id=last, error_code=ErrorCodes.NO_ERROR)
        await self._flush()
        await self.send(RawData(data=frame.serialize()))
        if self.idle:
            await self.send(Closed())

    def _flush_soon(self) -> None:
        """Send what h2 has to say, without making the caller wait for a slow client."""
        if not self._flushing and not self.closed:
            self._flushing = True
            self.task_group.spawn(self._flush_now)

    async def _flush_now(self) -> None:
        self._flushing = False
        await self._flush()
