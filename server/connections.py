"""Connections as the process sees them: how many there are, and how each one ends."""

import asyncio
import fcntl
import socket
import ssl
import termios
from asyncio.sslproto import SSLProtocolState
from contextlib import suppress
from typing import Any, ClassVar

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Closed, Event, RawData, Updated

from server.connection_limit import ConnectionLimit
from server.http1 import HardenedH11Protocol
from server.http2 import HardenedH2Protocol

READ_BYTES = 65_536
SLOW_READER_PATIENCE = 10
"""How many times linger_s a closed connection may take while its client still reads."""


class HardenedTCPServer(TCPServer):
    """One connection: counted, told apart by its TLS facts, and closed in bounded time."""

    gate: ClassVar[ConnectionLimit]
    linger_s: ClassVar[float]
    send_timeout_s: ClassVar[float]

    def __init__(  # noqa: PLR0917 - Hypercorn's signature, and how it calls it
        self, app: Any, loop: Any, config: Any, context: Any, state: Any, reader: Any, writer: Any
    ) -> None:
        secured: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        self._socket = writer.get_extra_info("socket")
        self.certificate = self._shown(secured) if secured else None
        state = {**state, "tls": secured and _facts(secured), "certificate": self.certificate}
        # A client that is None in the scope tells nothing: any connection can be closed by then.
        state["unix"] = not self._lost and self._socket.family == socket.AF_UNIX
        super().__init__(app, loop, config, context, state, reader, writer)
        self._closing = False
        self.asked = False
        """Whether it has brought a request."""

    def _shown(self, secured: ssl.SSLObject) -> bytes | None:
        """Return the client's certificate; none where its authorities changed in the handshake."""
        certificate = secured.getpeercert(binary_form=True)
        return certificate if self.gate.is_current(secured.context) else None

    @property
    def _lost(self) -> bool:
        """Whether its client left right after the handshake: TLS has forgotten the socket then."""
        return self._socket is None

    async def run(self) -> None:
        """Serve the connection to its end, or drop it at once: too many, or lost already."""
        if self._lost:
            self._forget_unread()
            return
        if len(self.gate.live) >= self.gate.max_connections:
            self.gate.refused += 1
            self.abort()
            return
        self.gate.live.add(self)
        if self.context.terminated.is_set():  # the others have got their last date before
            self.loop.call_later(self.config.graceful_timeout + self.linger_s, self.abort)
        try:
            await super().run()
        finally:
            self.gate.live.discard(self)
            self._forget_unread()

    def _forget_unread(self) -> None:
        """Drop what nobody reads any more: it would stay until this cycle of objects is found."""
        self.reader._buffer.clear()  # type: ignore[attr-defined]  # noqa: SLF001

    async def _read_data(self) -> None:
        """Read until the client leaves, or we do; then stop waiting for it.

        Stock's idle timer runs on inside the task group, which holds a connection whose client
        has left, and its descriptor, for the whole keep_alive_timeout. And it handles whatever a
        client sends after we have closed.
        """
        while not self.reader.at_eof():
            try:
                data = await self.reader.read(READ_BYTES)
            except (OSError, ssl.SSLError):
                break
            if not self._closing:
                await self.protocol.handle(RawData(data))
        await self.protocol.handle(Closed())
        await self.idle_task.stop()

    async def protocol_send(self, event: Event) -> None:
        """Send, to a client that is there and takes it.

        Stock waits for ever for one that reads nothing, holding its requests and its connection;
        and goes on writing to one that has left.
        """
        self.asked = self.asked or (isinstance(event, Updated) and not event.idle)
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        async with self.send_lock:
            if self._closing or self._gone:
                await asyncio.sleep(0)  # who sends without end has to be told in between
                return
            try:
                self.writer.write(event.data)
                async with asyncio.timeout(self.send_timeout_s):
                    await self.writer.drain()
            except TimeoutError:
                self.abort()
            except (ConnectionError, RuntimeError):
                self.abort()  # whoever reads from it ends what is under way

    @property
    def _gone(self) -> bool:
        """Whether the socket is closed; a TLS transport learns it a turn of the loop later."""
        secured: Any = getattr(self.writer.transport, "_ssl_protocol", None)
        if secured is None:
            return self.writer.transport.is_closing()
        open_still = secured._state is SSLProtocolState.WRAPPED and secured._transport  # noqa: SLF001
        return not open_still or secured._transport.is_closing()  # noqa: SLF001

    def abort(self) -> None:
        """Close without waiting for anything."""
        transport = self.writer.transport
        if getattr(transport, "_ssl_protocol", transport) is not None:
            transport.abort()
            return
        # A client said goodbye while we did, which closes a TLS transport twice; it then forgets
        # its connection, and abort does nothing or raises (CPython's asyncio/sslproto.py).
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    async def go_away(self) -> None:
        """Tell an HTTP/2 client that this connection takes no further request."""
        protocol = getattr(getattr(self, "protocol", None), "protocol", None)
        if isinstance(protocol, HardenedH2Protocol):
            await protocol.go_away()

    async def retire(self) -> None:
        """Finish what is under way and take nothing more."""
        protocol = getattr(getattr(self, "protocol", None), "protocol", None)
        if isinstance(protocol, (HardenedH2Protocol, HardenedH11Protocol)):
            await protocol.retire()

    async def _idle_timeout(self) -> None:
        """Close the connection once it has been idle for long, or the process ends.

        A client that came just before the end, perhaps out of a queue that outlives us, gets the
        time to bring the request it came for. Not asyncio.wait_for as in stock: until Python 3.12
        that forgets to be cancelled by a request which arrives at that very moment, and its
        connection then hangs until graceful_timeout.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.keep_alive_timeout):
                await self.context.terminated.wait()
        if self.context.terminated.is_set() and not self.asked:
            await asyncio.sleep(self.linger_s)
        await asyncio.shield(self._initiate_server_close())

    async def _initiate_server_close(self) -> None:
        await self.go_away()
        await self.protocol.handle(Closed())
        await self._close()

    async def _close(self) -> None:
        """Close; a client that doesn't answer TLS's close is dropped after a moment.

        asyncio waits 30 s for that answer (Hypercorn #170). And an OSError such as "no route to
        host" (#361), or an SSLError for data that crossed our close, is no news at this point.
        """
        with suppress(OSError, RuntimeError):
            if self._closing:
                # Closing a TLS transport twice makes it forget its socket: nothing could abort
                # it any more (CPython's asyncio/sslproto.py, _SSLProtocolTransport.close).
                await self.writer.wait_closed()
                return
            self._closing = True
            self.loop.call_later(self.linger_s, self._drop, SLOW_READER_PATIENCE)
            await super()._close()

    def _drop(self, patience: int) -> None:
        """Abort, but let a slow client have the rest of its answer first."""
        if patience and _unacknowledged(self._socket):
            self.loop.call_later(self.linger_s, self._drop, patience - 1)
        else:
            self.abort()


def _facts(secured: ssl.SSLObject) -> dict[str, str | None]:
    return {"version": secured.version(), "cipher": (secured.cipher() or [""])[0]}


def _unacknowledged(connection: Any) -> bool:
    """Whether the kernel still holds bytes that the peer has not confirmed."""
    try:
        return any(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))
    except (OSError, ValueError):
        return False  # closed already
