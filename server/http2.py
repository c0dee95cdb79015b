"""HTTP/2 connections that survive early responses, unread bodies and too many streams."""

from functools import partial
from typing import Any

import h2.events
import h2.exceptions
from h2.errors import ErrorCodes
from hypercorn.events import Closed, Updated
from hypercorn.events import Event as ConnectionEvent
from hypercorn.protocol.events import Body, Request
from hypercorn.utils import filter_pseudo_headers

from server.body_buffer import BodyBuffer
from server.closures import Closures
from server.drain import Drain
from server.fair_queue import FairQueue
from server.flood_guard import RESET_COST, STREAMS_PER_FRAME
from server.flow_control import RetainedWindows
from server.h2_settings import announce
from server.http2_headers import are_valid_trailers, frames_cost, refusal_of_headers, resets_cost
from server.network_limit import NetworkLimit
from server.options import ServerOptions
from server.probes import override
from server.refusals import Refusal, Refusals, refused_request
from server.send_buffer import SendBuffer
from server.send_timeouts import SendingH2Protocol
from server.streams import make_stream

USES = (
    (
        "hypercorn.protocol.h2:H2Protocol.__init__"
        "(self, app, config, context, task_group, connection_state, ssl, client, server, send)"
    ),
    "hypercorn.protocol.h2:H2Protocol._close_stream(self, stream_id)",
    "hypercorn.protocol.h2:H2Protocol._flush(self)",
    "hypercorn.protocol.h2:H2Protocol._window_updated(self, stream_id)",
    "hypercorn.protocol.h2:H2Protocol.keep_alive_requests",
    "hypercorn.protocol.h2:H2Protocol.priority",
    "hypercorn.protocol.h2:StreamBuffer.__init__(self, event_class)",
)

EXTENSION = "sealed.receive_window"
"""The ASGI extension by which an application lets a client send faster."""

SMALL_WINDOW_BYTES = 1024
"""A smaller window costs a frame when it is opened: each byte of it may cost a frame to send (RFC
9293, section 3.8.6.2.1: silly window syndrome)."""


class HardenedH2Protocol(SendingH2Protocol):
    """Hypercorn's HTTP/2 connection with its receiving side rewritten."""

    def __init__(
        self,
        *args: Any,
        options: ServerOptions,
        network_limit: NetworkLimit,
        fair_queue: FairQueue,
        retained_windows: RetainedWindows,
        refusals: Refusals,
        closures: Closures,
        drain: Drain,
    ) -> None:
        super().__init__(
            *args,
            options=options,
            network_limit=network_limit,
            retained_windows=retained_windows,
            closures=closures,
        )
        self._fair_queue = fair_queue
        self._refusals = refusals
        self._drain = drain
        self._draining = False
        announce(self.connection, self.config, options.receive_window_bytes)

    @override
    async def initiate(self, headers: Any = None, settings: Any = None) -> None:
        """Open the connection, and its window."""
        await super().initiate(headers, settings)
        self.flow_control.open_connection()
        await self._flush()

    @override
    async def handle(self, event: ConnectionEvent) -> None:
        """Handle what was received, or that the connection is closed."""
        await super().handle(event)
        if isinstance(event, Closed):
            self.flow_control.close_connection()
            self.send_timeouts.close()

    @override
    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        opened: set[int] = set()  # windows: each is handled once, however many frames opened it
        for event in events:
            match event:
                case h2.events.RequestReceived():
                    await self._request_received(event)
                case h2.events.TrailersReceived():
                    await self._trailers_received(event)
                case h2.events.DataReceived():
                    await self._data_received(event)
                case h2.events.WindowUpdated():
                    opened.add(event.stream_id)
                case h2.events.RemoteSettingsChanged():
                    opened.add(0)
                case h2.events.StreamEnded() | h2.events.StreamReset():
                    await self._stream_ended(event)
                case h2.events.ConnectionTerminated():
                    await super()._handle_events([event])
                # Priorities are ignored (RFC 9113, section 5.3.1): Hypercorn builds a tree of what
                # a client sends, of up to a thousand streams, and fails at one more.
        await self._windows_opened(opened)
        await self._flush()

    async def _windows_opened(self, stream_ids: set[int]) -> None:
        """Go on with responses that may be sent now; tiny windows are charged to the budget."""
        waiting = set(self.stream_buffers) if 0 in stream_ids else stream_ids
        self.budget.consume(len(waiting) // STREAMS_PER_FRAME)
        for stream_id in waiting:
            unsent = self.unsent(stream_id)
            try:
                window = self.connection.local_flow_control_window(stream_id)
            except h2.exceptions.ProtocolError:  # the stream or the connection has ended
                continue
            if unsent and window < min(unsent, SMALL_WINDOW_BYTES):
                self.budget.consume(1)
            if window > 0 or not unsent:
                await self._window_updated(stream_id)

    async def _stream_ended(self, event: h2.events.StreamEnded | h2.events.StreamReset) -> None:
        await super()._handle_events([event])
        self.flow_control.close_stream(event.stream_id)
        if self.idle and not self.closed:  # the response was sent before the end was handled
            await self._update_idle()
        if isinstance(event, h2.events.StreamReset) and not event.remote_reset:
            self.budget.consume(RESET_COST)  # the client made the server reset it (CVE-2025-8671)

    async def _request_received(self, event: h2.events.RequestReceived) -> None:
        terminated, drains = self.context.terminated.is_set(), self._drain.has_begun
        # A client that connected just before the shutdown gets its first response (Connection).
        if self._refuses_streams or (terminated and self.keep_alive_requests):
            # Refused means: not processed, safe to send again (RFC 9113, section 8.7).
            self.flow_control.reset(event.stream_id, ErrorCodes.REFUSED_STREAM)
            self.budget.consume(RESET_COST)
            return
        self.budget.consume(frames_cost(event.headers))
        refusal = refusal_of_headers(event.headers, self.config.h2_max_header_list_size)
        if refusal is not None:
            self.budget.consume(RESET_COST * resets_cost(refusal))
        self.flow_control.open_stream(event.stream_id)
        await self._open_stream(event, refusal)
        await self.send(Updated(idle=False))
        if terminated or drains or self.keep_alive_requests >= self.config.keep_alive_max_requests:
            await self.go_away()

    async def _trailers_received(self, event: h2.events.TrailersReceived) -> None:
        """Reset a stream whose trailers are malformed (RFC 9113, section 8.1.1)."""
        if not are_valid_trailers(event.headers, self.config.h2_max_header_list_size):
            self.budget.consume(RESET_COST)
            self.flow_control.reset(event.stream_id, ErrorCodes.PROTOCOL_ERROR)
            await self._close_stream(event.stream_id)

    @property
    def _refuses_streams(self) -> bool:
        """Whether one more stream is too many: at a time, or on a connection that is to end.

        h2's own count is no help: it has parsed later streams of the same read already.
        """
        return (
            self._draining
            or len(self.open_streams) >= self.config.h2_max_concurrent_streams
            or self.keep_alive_requests >= 2 * self.config.keep_alive_max_requests
        )

    async def _open_stream(self, event: h2.events.RequestReceived, refusal: Refusal | None) -> None:
        stream_id = event.stream_id
        grow = partial(self.flow_control.grow_window, stream_id)
        self.streams[stream_id] = stream = make_stream(
            self,
            self._fair_queue,
            stream_id,
            BodyBuffer(None, partial(self.flow_control.acknowledge, stream_id)),
            is_closed=lambda: self.closed,
            extensions=self._refusals.refuse(refusal) if refusal else {EXTENSION: {"grow": grow}},
        )
        self.stream_buffers[stream_id] = SendBuffer(self.context.event_class)
        self.priority.insert_stream(stream_id)
        self.priority.block(stream_id)
        await stream.handle(self._refused(event) if refusal else self._request(event))
        self.keep_alive_requests += 1
        await self.context.mark_request()

    def _request(self, event: h2.events.RequestReceived) -> Request:
        pseudo = dict(event.headers)
        return Request(
            stream_id=event.stream_id,
            headers=filter_pseudo_headers(event.headers),
            http_version="2",
            method=pseudo[b":method"].decode("ascii"),
            raw_path=pseudo[b":path"],
            state=self.connection_state,
        )

    def _refused(self, event: h2.events.RequestReceived) -> Request:
        method = dict(event.headers).get(b":method", b"").decode("ascii", "replace")
        return refused_request(
            event.stream_id, "2", self.connection_state, method=method, headers=event.headers
        )

    async def _data_received(self, event: h2.events.DataReceived) -> None:
        """Pass a piece of body on, or discard it if its request has been answered already.

        Hypercorn raises KeyError for the latter, and every stream of the connection dies with it
        (Hypercorn #329, with fixes proposed in #312, #334, #365).
        """
        stream = self.streams.get(event.stream_id)
        if stream is None:
            self.flow_control.discard(event.stream_id, event.flow_controlled_length)
            return
        padding = event.flow_controlled_length - len(event.data)
        if padding:
            self.flow_control.acknowledge(event.stream_id, padding)
        await stream.handle(Body(stream_id=event.stream_id, data=event.data))

    async def drain(self) -> None:
        """Finish the open requests and accept no more."""
        self._draining = True
        await self.go_away()
