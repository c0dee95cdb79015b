"""HTTP/1.1 connections that answer a client which is still sending, and hide no second request."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import h11
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.events import Body, EndBody, InformationalResponse, Request, Response
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol

from server.body_buffer import HTTP1_BODY_BYTES, BodyBuffer
from server.chunk_pace import ChunkPace
from server.drain import Drain
from server.fair_queue import FairQueue
from server.http1_heads import origin_form, refusal_of_head
from server.options import ServerOptions
from server.probes import override
from server.refusals import Refusal, Refusals, refusal_of, refused_request
from server.streams import make_stream

USES = (
    (
        "hypercorn.protocol.h11:H11Protocol.__init__"
        "(self, app, config, context, task_group, connection_state, ssl, client, server, send)"
    ),
    "hypercorn.protocol.h11:H11Protocol._close_stream(self)",
    "hypercorn.protocol.h11:H11Protocol.can_read",
    "hypercorn.protocol.h11:H11Protocol.keep_alive_requests",
)


class HardenedH11Protocol(H11Protocol):
    """Hypercorn's HTTP/1.1 connection, closed slowly after an early response.

    Closing with unread data in the socket sends a reset, which can destroy the response before the
    client reads it (RFC 9112, section 9.6): so the rest of the body is read and discarded, for a
    limited time and amount.

    The client may be a proxy, so nothing is accepted that a proxy may have understood differently:
    no body of two lengths (RFC 9112, section 6.1), and no upgrade to HTTP/2 in clear text, by which
    a client would bypass a proxy that forwards Upgrade (RFC 9113 has dropped it). What is refused
    here is answered by the application, like everything else.
    """

    def __init__(
        self,
        *args: Any,
        options: ServerOptions,
        fair_queue: FairQueue,
        refusals: Refusals,
        drain: Drain,
    ) -> None:
        super().__init__(*args)
        self._options = options
        self._fair_queue = fair_queue
        self._refusals = refusals
        self._drain = drain
        self._lingering = False
        self._refused = False
        self._draining = False
        self._discarded = 0
        self._pace = ChunkPace()  # of the current request
        self._finished = asyncio.Event()

    @override
    async def handle(self, event: Event) -> None:
        """Handle what was received, or discard what arrives after an early response."""
        if isinstance(event, Closed):
            self._finished.set()
        if self._lingering and isinstance(event, RawData):
            await self._discard(event.data)
        else:
            await super().handle(event)

    @override
    async def _handle_events(self) -> None:
        """Handle what h11 has parsed.

        Hypercorn's own loop sends 100 Continue for every request that waits for it, answers what
        cannot be parsed itself, and offers an upgrade to HTTP/2, which RFC 9113 has dropped
        (section 3.1): settings of it that cannot be decoded ended the connection with a traceback.
        """
        while not self._lingering:
            try:
                event = self.connection.next_event()
            except h11.RemoteProtocolError as error:
                await self._cannot_parse(error)
                return
            if isinstance(event, h11.Request):
                await self.send(Updated(idle=False))
                await self._request_received(event)
            elif event is h11.PAUSED:
                await self.can_read.clear()
                await self.can_read.wait()
            elif self.stream is None or event is h11.NEED_DATA:
                return
            elif isinstance(event, h11.Data):
                await self.stream.handle(Body(stream_id=STREAM_ID, data=event.data))
                await self._pace.count(event)
            elif isinstance(event, h11.EndOfMessage):
                await self.stream.handle(EndBody(stream_id=STREAM_ID))

    async def _cannot_parse(self, error: h11.RemoteProtocolError) -> None:
        """Refuse a request; where its response has begun, only close."""
        if self.connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            await self._close_stream()  # an invalid body ends the request that it belongs to
            await self.refuse(refusal_of(error.error_status_hint))
        else:
            await self.send(Closed())

    async def refuse(self, refusal: Refusal, request: h11.Request | None = None) -> None:
        """Have the application respond to a request that is not served, and close then."""
        self._lingering = self._refused = True
        refused = refused_request(
            STREAM_ID,
            request.http_version.decode() if request else "1.1",
            self.connection_state,
            method=request.method.decode("ascii") if request else "",
            headers=request.headers if request else (),
        )
        await self._start(refused, self._refusals.refuse(refusal))
        if self.stream is not None:
            await self.stream.handle(EndBody(stream_id=STREAM_ID))

    async def _discard(self, data: bytes) -> None:
        """Discard late body; stop once it has ended, or is too much.

        After an error h11 parses nothing, but would keep what it receives.
        """
        if self._finished.is_set():
            return
        self._discarded += len(data)
        self.connection.receive_data(data)
        await self._discard_parsed()

    async def _discard_parsed(self) -> None:
        try:
            while isinstance(event := self.connection.next_event(), h11.Data):
                await self._pace.count(event)
                if self._finished.is_set():
                    return
        except h11.RemoteProtocolError:
            self._finished.set()
        is_receiving = self.connection.their_state is h11.SEND_BODY
        if not is_receiving or self._discarded > self._options.discard_bytes:
            self._finished.set()

    async def _request_received(self, request: h11.Request) -> None:
        self._pace = ChunkPace()
        refusal = refusal_of_head(request, self.config.h11_max_incomplete_size)
        if refusal is not None:
            await self.refuse(refusal, request)
            return
        raw = self.config.h11_pass_raw_headers
        headers = request.headers.raw_items() if raw else list(request.headers)
        path, headers = origin_form(request.target, headers)
        await self._start(
            Request(
                stream_id=STREAM_ID,
                headers=headers,
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii"),
                raw_path=path,
                state=self.connection_state,
            ),
            {},
        )

    async def _start(self, request: Request, extensions: dict[str, Any]) -> None:
        self.stream = make_stream(
            self,
            self._fair_queue,
            STREAM_ID,
            BodyBuffer(HTTP1_BODY_BYTES),
            is_closed=lambda: False,
            extensions=extensions,
        )
        await self.stream.handle(request)
        self.keep_alive_requests += 1
        await self.context.mark_request()

    @override
    async def stream_send(self, event: StreamEvent) -> None:
        """Pass on what the stream sends; announce that this response ends the connection."""
        if isinstance(event, InformationalResponse):
            if self.connection.they_are_waiting_for_100_continue:
                event = Response(event.stream_id, [], event.status_code)
            else:
                return
        elif isinstance(event, Response) and (self._has_to_end or self._drain.has_begun):
            event = replace(event, headers=[*event.headers, (b"connection", b"close")])
        await super().stream_send(event)

    @property
    def _has_to_end(self) -> bool:
        """Whether the open request is the connection's last, announced or not."""
        ends = self.connection.their_state is h11.SEND_BODY or self._draining or self._refused
        return ends or self.context.terminated.is_set()

    @override
    async def _maybe_recycle(self) -> None:
        # A response that had begun before the drain has not announced it: the next one does.
        announced = self._drain.has_begun and self.connection.our_state is h11.MUST_CLOSE
        if self._has_to_end or announced:
            await self._linger()
        else:
            await super()._maybe_recycle()

    async def _linger(self) -> None:
        """Accept nothing more, and close soon."""
        self._lingering = True
        await self._close_stream()
        await self.can_read.set()
        self.task_group.spawn(self._close_when_finished)
        await self._discard_parsed()

    async def _close_when_finished(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._finished.wait(), self._options.linger_s)
        self._finished.set()
        await self.send(Closed())

    async def drain(self) -> None:
        """Finish the open request and accept no more."""
        self._draining = True
        if self.stream is None:
            await self.send(Closed())
