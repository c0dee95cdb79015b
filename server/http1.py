"""HTTP/1.1 connections that answer a client which is still sending, and hide no second request."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

import h11
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Response
from hypercorn.protocol.h11 import H11Protocol

FIRST_FINAL_STATUS = 200
TWO_LENGTHS = {b"content-length", b"transfer-encoding"}


class HardenedH11Protocol(H11Protocol):
    """Hypercorn's HTTP/1.1 connection, closed slowly after an early reply.

    Closing with unread data in the socket sends a reset, which can destroy the reply before the
    client reads it (RFC 9112, section 9.6): so the rest of the body is read and dropped, for a
    bounded time and amount.

    It may be a proxy's, so nothing is taken that a proxy may have understood in another way: no
    body of two lengths (RFC 9112, section 6.1), and no change to HTTP/2 in clear, by which a client
    would talk past a proxy that passes Upgrade on (RFC 9113 has given it up).
    """

    linger_s: ClassVar[float]
    discard_bytes: ClassVar[int]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._lingering = False
        self._retired = False
        self._discarded = 0
        self._left = asyncio.Event()

    async def handle(self, event: Event) -> None:
        """Pass an event on, or drop what still comes after an early reply."""
        if isinstance(event, Closed):
            self._left.set()
        if self._lingering and isinstance(event, RawData):
            self._discard(event.data)
        else:
            await super().handle(event)

    async def _check_protocol(self, event: h11.Request) -> None:
        """Stay with HTTP/1.1: HTTP/2 is agreed on in the TLS handshake alone.

        RFC 9113 has dropped the upgrade that stock offers (section 3.1); settings of it that can't
        be read ended the connection with a traceback in the log.
        """

    def _discard(self, data: bytes) -> None:
        """Drop late body; stop listening once it has ended, or is too much."""
        self._discarded += len(data)
        try:
            self.connection.receive_data(data)
            while isinstance(self.connection.next_event(), h11.Data):
                pass
        except h11.RemoteProtocolError:
            self._left.set()
        if not self._client_sends or self._discarded > self.discard_bytes:
            self._left.set()

    async def _create_stream(self, request: h11.Request) -> None:
        if dict(request.headers).keys() >= TWO_LENGTHS:
            await self._send_error_response(400)
            await self._linger_on()
        else:
            await super()._create_stream(request)

    async def stream_send(self, event: StreamEvent) -> None:
        """Pass on what the stream sends, announcing that an early reply ends the connection."""
        if (
            isinstance(event, Response)
            and event.status_code >= FIRST_FINAL_STATUS
            and (self._client_sends or self._retired)
        ):
            event = replace(event, headers=[*event.headers, (b"connection", b"close")])
        await super().stream_send(event)

    @property
    def _client_sends(self) -> bool:
        return bool(self.connection.their_state is h11.SEND_BODY)

    async def _maybe_recycle(self) -> None:
        if not self._client_sends and not self._retired:
            await super()._maybe_recycle()
            return
        await self._linger_on()

    async def _linger_on(self) -> None:
        """Take nothing more, and close in a moment."""
        self._lingering = True
        await self._close_stream()
        await self.can_read.set()
        self.task_group.spawn(self._linger)

    async def retire(self) -> None:
        """Finish what is under way and take nothing more."""
        self._retired = True
        if self.stream is None:
            await self.send(Closed())

    async def _linger(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._left.wait(), self.linger_s)
        await self.send(Closed())
