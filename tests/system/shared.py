"""An HTTP/2 connection that several callers share, any of whom may leave a request of theirs.

A client of our own, because httpx2's does not tell the server of a request that was cancelled.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from tests.system.service import Service

Answer = tuple[int, bytes]


@dataclass
class Exchange:
    """A request in progress: the response so far, and the future of the whole."""

    done: asyncio.Future[Answer]
    status: int = 0
    body: bytearray = field(default_factory=bytearray)


class Shared:
    """A connection to a service, open within `async with`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self._exchanges: dict[int, Exchange] = {}
        self._window = asyncio.Event()

    async def __aenter__(self) -> Self:
        trust = self._service.trust()
        trust.set_alpn_protocols(["h2"])
        port = self._service.ports["https"]
        self._reader, self._writer = await asyncio.open_connection(
            "localhost", port, ssl=trust, server_hostname="localhost"
        )
        self._h2.initiate_connection()
        self._flush()
        self._receiving = asyncio.create_task(self._receive())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._receiving.cancel()
        self._writer.transport.abort()
        await asyncio.wait([self._receiving])

    async def post(self, path: str, body: bytes) -> Answer:
        """Send an image; return status and body. Cancelling it resets the stream."""
        stream = self._h2.get_next_available_stream_id()
        exchange = Exchange(asyncio.get_running_loop().create_future())
        self._exchanges[stream] = exchange
        self._h2.send_headers(stream, self._headers(path))
        try:
            await self._send(stream, body, exchange)
            return await exchange.done
        except asyncio.CancelledError:
            # The answer may have come at the moment its caller left.
            with contextlib.suppress(h2.exceptions.StreamClosedError):
                self._h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            self._flush()
            raise
        finally:
            self._exchanges.pop(stream, None)

    def _headers(self, path: str) -> list[tuple[str, str]]:
        return [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", path),
            ("content-type", "image/png"),
            ("x-api-key", self._service.key),
        ]

    async def _send(self, stream: int, body: bytes, exchange: Exchange) -> None:
        """Send a body as the windows let it; stop where the answer is there already."""
        while body and not exchange.done.done():
            room = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            piece, body = body[:room], body[room:]
            if piece:
                self._h2.send_data(stream, piece, end_stream=not body)
                self._flush()
            else:
                self._window.clear()
                await self._window.wait()

    def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())

    async def _receive(self) -> None:
        """Give received events to their requests; a connection that ends fails them all."""
        try:
            while data := await self._reader.read(65536):
                for event in self._h2.receive_data(data):
                    self._take(event)
                self._flush()
        finally:
            for exchange in self._exchanges.values():
                if not exchange.done.done():
                    exchange.done.set_exception(ConnectionResetError())
            self._window.set()

    def _take(self, event: h2.events.Event) -> None:
        self._window.set()
        exchange = self._exchanges.get(getattr(event, "stream_id", None) or 0)
        if isinstance(event, h2.events.DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if exchange is None or exchange.done.done():
            return
        if isinstance(event, h2.events.ResponseReceived):
            exchange.status = int(dict(event.headers)[b":status"])
        elif isinstance(event, h2.events.DataReceived):
            exchange.body += event.data
        elif isinstance(event, h2.events.StreamEnded):
            exchange.done.set_result((exchange.status, bytes(exchange.body)))
        elif isinstance(event, h2.events.StreamReset):
            exchange.done.set_exception(ConnectionResetError())
