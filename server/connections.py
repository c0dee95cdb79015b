"""One accepted connection: its TLS handshake, its protocol, and its end in bounded time."""

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Any

from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.worker_context import AsyncioSingleTask
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.typing import ConnectionState, LifespanState
from hypercorn.utils import parse_socket_addr

from server.connection_limit import Worker
from server.contexts import ServerContext
from server.http1 import HardenedH11Protocol
from server.http2 import HardenedH2Protocol
from server.protocols import Protocol, make_protocol
from server.reference_cycles import break_cycles
from server.refusals import Refusal
from server.tls_stream import (
    PlainText,
    TLSStream,
    describe,
    discard_rest,
    has_unacknowledged,
)

READ_BYTES = 65_536
SLOW_READER_PATIENCE = 10  # times linger_s that a closed connection may take to be read


class Connection:
    """One accepted connection, which is counted by the limits from here to its end.

    `context` is that of its TLS; None for plain HTTP. Hypercorn's own TCPServer holds a connection
    whose client has disconnected for keep_alive_timeout, writes to it, waits for ever for a client
    that reads nothing, and 30 s for one that does not answer TLS's close (Hypercorn #170, #361).
    """

    def __init__(
        self, accepted: socket.socket, worker: Worker, context: ServerContext | None
    ) -> None:
        self.certificate: bytes | None = None
        self.established = context is None
        self.has_requested = False
        self._socket = accepted
        self._worker = worker
        self._context = context
        self._linger_s = worker.options.linger_s
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self._tls: TLSStream | None = None
        self._sends_text = False  # on a port that speaks TLS
        self._protocol: Protocol | None = None
        self._tasks: TaskGroup
        self._idle_timer = AsyncioSingleTask()
        self._send_lock = asyncio.Lock()
        self._closing = False

    async def run(self) -> None:
        """Serve the connection to its end."""
        buffer_bytes = self._worker.options.tls_buffer_bytes if self._context else READ_BYTES
        # asyncio.StreamReader stops reading at twice its limit.
        opening = asyncio.open_connection(sock=self._socket, limit=buffer_bytes // 2)
        try:
            self._reader, self._writer = await opening
        except OSError:
            self._socket.close()
            return
        patience = 0
        try:
            with suppress(OSError):  # also TimeoutError and ssl.SSLError
                if self._context is not None:
                    await self._handshake(self._context, buffer_bytes)
                patience = SLOW_READER_PATIENCE
                await self._serve()
        finally:
            await self._close(patience)
            break_cycles(self._reader, self._protocol)
            self._protocol = None

    async def _handshake(self, context: ServerContext, read_bytes: int) -> None:
        assert self._writer is not None  # noqa: S101 - for the type checker
        self._tls = TLSStream(self._reader, self._writer, context.ssl, read_bytes)
        try:
            with self._worker.limits.closures.count_handshake():
                async with asyncio.timeout(self._worker.config.ssl_handshake_timeout):
                    await self._tls.handshake(self._worker.limits.handshakes.acquire)
        except TimeoutError:
            self.abort()
            raise
        except PlainText:
            self._tls, self._sends_text = None, True
            return
        # Not one verified by CAs that were replaced during the handshake.
        if context.generation == self._worker.limits.connections.generation:
            self.certificate = self._tls.ssl_object.getpeercert(binary_form=True)
        self.established = True

    async def _serve(self) -> None:
        """Serve HTTP until the client disconnects, or the connection is closed."""
        worker = self._worker
        addresses = (
            parse_socket_addr(self._socket.family, self._socket.getpeername()),
            parse_socket_addr(self._socket.family, self._socket.getsockname()),
        )
        secured = self._tls.ssl_object if self._tls else None
        state = ConnectionState(LifespanState(self._state(secured)))
        async with TaskGroup(asyncio.get_running_loop()) as tasks:
            self._tasks = tasks
            self._protocol = make_protocol(
                worker, tasks, state, secured, addresses=addresses, send=self._send
            )
            await self._protocol.initiate()
            await self._idle_timer.restart(tasks, self._idle_timeout)
            if self._sends_text and isinstance(self._protocol, HardenedH11Protocol):
                await self._protocol.refuse(Refusal.PLAIN_HTTP)
            await self._read(self._protocol)

    def _state(self, secured: ssl.SSLObject | None) -> dict[str, Any]:
        """Return the scope's state: the lifespan's, and facts of the connection."""
        return {
            **self._worker.state,
            "tls": secured and describe(secured),
            "certificate": self.certificate,
            # The client's address in the scope is None for a Unix socket, but not only for that.
            "unix": self._socket.family == socket.AF_UNIX,
        }

    async def _read(self, protocol: Protocol) -> None:
        """Read until the client disconnects or the connection is closed."""
        with suppress(OSError):
            while data := await (self._tls or self._reader).read(READ_BYTES):
                if not self._closing:
                    await protocol.handle(RawData(data))
        await protocol.handle(Closed())
        await self._idle_timer.stop()

    async def _send(self, event: Event) -> None:
        """Handle an event of the protocol: data to send, the end, idle or not."""
        if isinstance(event, RawData):
            await self._send_data(event.data)
        elif isinstance(event, Closed):
            await self._close(SLOW_READER_PATIENCE)
        elif isinstance(event, Updated) and event.idle:
            await self._idle_timer.restart(self._tasks, self._idle_timeout)
        else:
            self.has_requested = True
            await self._idle_timer.stop()

    async def _send_data(self, data: bytes) -> None:
        """Send, while the client is connected and reads."""
        async with self._send_lock:
            writer = self._writer
            if writer is None or self._closing or writer.transport.is_closing():
                await asyncio.sleep(0)  # an application that sends without end is cancelled here
                return
            try:
                (self._tls or writer).write(data)
                async with asyncio.timeout(self._worker.options.send_timeout_s):
                    await writer.drain()
            except (OSError, RuntimeError) as error:  # TimeoutError and ssl.SSLError, too
                self._worker.limits.closures.count_send(error)
                self.abort()  # what reads from the connection ends its requests

    def abort(self) -> None:
        """Close without waiting for anything."""
        if self._writer is not None:
            self._writer.transport.abort()
        else:  # `run` has not begun, and will find this end
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    async def go_away(self) -> None:
        """Tell an HTTP/2 client that this connection accepts no further request."""
        if isinstance(self._protocol, HardenedH2Protocol):
            await self._protocol.go_away()

    async def drain(self) -> None:
        """Finish the open requests and accept no more."""
        if self._protocol is not None:
            await self._protocol.drain()

    async def _idle_timeout(self) -> None:
        """Close the connection once it has been idle for keep_alive_timeout, or the process ends.

        A client that connected just before the shutdown gets the time to send its first request.
        Not asyncio.wait_for: until Python 3.12 it can miss a cancellation by a request that
        arrives at that very moment, and hang until graceful_timeout.
        """
        terminated = self._worker.context.terminated
        with suppress(TimeoutError):
            async with asyncio.timeout(self._worker.config.keep_alive_timeout):
                await terminated.wait()
        if terminated.is_set() and not self.has_requested:
            await asyncio.sleep(self._linger_s)
        await asyncio.shield(self.close())

    async def close(self) -> None:
        """End what is left of the requests, and close."""
        await self.go_away()
        if self._protocol is not None:
            await self._protocol.handle(Closed())
        await self._close(SLOW_READER_PATIENCE)

    async def _close(self, patience: int) -> None:
        """Close; a client that does not close, too, is disconnected after `linger_s`."""
        if (writer := self._writer) is None:
            return
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_later(self._linger_s, self._disconnect, patience)
            if self._tls is not None:
                self._tls.close()
            else:
                discard_rest(writer)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
        finally:
            await self._idle_timer.stop()

    def _disconnect(self, patience: int) -> None:
        """Abort, but let a slow client have the rest of its response first."""
        if patience and has_unacknowledged(self._socket):
            asyncio.get_running_loop().call_later(self._linger_s, self._disconnect, patience - 1)
        else:
            self.abort()
