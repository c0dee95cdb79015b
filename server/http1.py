"""HTTP/1.1 connections that answer a client which is still sending, and hide no second request."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import h11
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Request, Response
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol

from server.fair_queue import FairQueue
from server.options import ServerOptions
from server.probes import override
from server.streams import HTTP1_BODY_BYTES, BodyBuffer, HardenedHTTPStream, RequestTask

USES = (
    (
        "hypercorn.protocol.h11:H11Protocol.__init__"
        "(self, app, config, context, task_group, connection_state, ssl, client, server, send)"
    ),
    "hypercorn.protocol.h11:H11Protocol._close_stream(self)",
    "hypercorn.protocol.h11:H11Protocol._send_error_response(self, status_code)",
    "hypercorn.protocol.h11:H11Protocol.can_read",
    "hypercorn.protocol.h11:H11Protocol.keep_alive_requests",
)

FIRST_FINAL_STATUS = 200
TWO_LENGTHS = {b"content-length", b"transfer-encoding"}


class HardenedH11Protocol(H11Protocol):
    """Hypercorn's HTTP/1.1 connection, closed slowly after an early response.

    Closing with unread data in the socket sends a reset, which can destroy the response before the
    client reads it (RFC 9112, section 9.6): so the rest of the body is read and discarded, for a
    limited time and amount.

    The client may be a proxy, so nothing is accepted that a proxy may have understood differently:
    no body of two lengths (RFC 9112, section 6.1), and no upgrade to HTTP/2 in clear text, by which
    a client would bypass a proxy that forwards Upgrade (RFC 9113 has dropped it).
    """

    def __init__(self, *args: Any, options: ServerOptions, fair_queue: FairQueue) -> None:
        super().__init__(*args)
        self._options = options
        self._fair_queue = fair_queue
        self._lingering = False
        self._draining = False
        self._discarded = 0
        self._finished = asyncio.Event()

    @override
    async def handle(self, event: Event) -> None:
        """Handle what was received, or discard what arrives after an early response."""
        if isinstance(event, Closed):
            self._finished.set()
        if self._lingering and isinstance(event, RawData):
            self._discard(event.data)
        else:
            await super().handle(event)

    @override
    async def _check_protocol(self, event: h11.Request) -> None:
        """Stay with HTTP/1.1: HTTP/2 is negotiated in the TLS handshake alone.

        RFC 9113 has dropped the upgrade that Hypercorn offers (section 3.1); settings of it that
        cannot be decoded ended the connection with a traceback in the log.
        """

    def _discard(self, data: bytes) -> None:
        """Discard late body; stop once it has ended, or is too much."""
        self._discarded += len(data)
        try:
            self.connection.receive_data(data)
            while isinstance(self.connection.next_event(), h11.Data):
                pass
        except h11.RemoteProtocolError:
            self._finished.set()
        if not self._is_receiving or self._discarded > self._options.discard_bytes:
            self._finished.set()

    @override
    async def _create_stream(self, request: h11.Request) -> None:
        if dict(request.headers).keys() >= TWO_LENGTHS:
            await self._send_error_response(400)
            await self._linger()
            return
        if _is_websocket(request):
            await super()._create_stream(request)
            return
        self.stream = HardenedHTTPStream(
            self.app,
            self.config,
            self.context,
            RequestTask(
                tasks=self.task_group,
                fair_queue=self._fair_queue,
                client=self.client,
                body=BodyBuffer(HTTP1_BODY_BYTES),
            ),
            self.ssl,
            self.client,
            self.server,
            self.stream_send,
            STREAM_ID,
        )
        raw = self.config.h11_pass_raw_headers
        await self.stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=request.headers.raw_items() if raw else list(request.headers),
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii").upper(),
                raw_path=request.target,
                state=self.connection_state,
            )
        )
        self.keep_alive_requests += 1
        await self.context.mark_request()

    @override
    async def stream_send(self, event: StreamEvent) -> None:
        """Pass on what the stream sends; announce that this response ends the connection."""
        if (
            isinstance(event, Response)
            and event.status_code >= FIRST_FINAL_STATUS
            and (self._is_receiving or self._draining or self.context.terminated.is_set())
        ):
            event = replace(event, headers=[*event.headers, (b"connection", b"close")])
        await super().stream_send(event)

    @property
    def _is_receiving(self) -> bool:
        return bool(self.connection.their_state is h11.SEND_BODY)

    @override
    async def _maybe_recycle(self) -> None:
        if self._is_receiving or self._draining:
            await self._linger()
        else:
            await super()._maybe_recycle()

    async def _linger(self) -> None:
        """Accept nothing more, and close soon."""
        self._lingering = True
        await self._close_stream()
        await self.can_read.set()
        self.task_group.spawn(self._close_when_finished)

    async def _close_when_finished(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._finished.wait(), self._options.linger_s)
        await self.send(Closed())

    async def drain(self) -> None:
        """Finish the open request and accept no more."""
        self._draining = True
        if self.stream is None:
            await self.send(Closed())


def _is_websocket(request: h11.Request) -> bool:
    """Whether Hypercorn answers a request by a WebSocket, which keeps its own queue."""
    headers = {name.strip().lower(): value.strip().lower() for name, value in request.headers}
    tokens = [token.strip() for token in headers.get(b"connection", b"").split(b",")]
    return (
        request.method.upper() == b"GET"
        and headers.get(b"upgrade") == b"websocket"
        and b"upgrade" in tokens
    )
