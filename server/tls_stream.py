"""TLS on an accepted connection, by the documented API of the ssl module.

asyncio's own TLS gives a server no control of what it needs most: it closes after a failed
handshake without sending the alert that says why, makes any number of handshakes in one iteration
of the event loop, has a buffer of 256 KiB for each connection, and forgets its socket when it is
closed twice (CPython's asyncio/sslproto.py).
"""

import asyncio
import fcntl
import re
import socket
import ssl
import termios
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from server.probes import override

LETTER = re.compile(rb"[A-Za-z]")  # no TLS record begins so (RFC 8446, section 5.1)

KEY_UPDATE_BYTES = 4096
"""How much a connection may make us send by KeyUpdates: about 150 (RFC 8446, section 4.6.3)."""


class PlainText(OSError):
    """A client sends text, such as plain HTTP, on a port that speaks TLS."""


class TLSStream:
    """Reads and writes what is encrypted on a plain asyncio stream, as its server.

    It reads `read_bytes` at a time.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        context: ssl.SSLContext,
        read_bytes: int,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._read_bytes = read_bytes
        self._key_update_bytes = 0
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.ssl_object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def handshake(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Make the handshake; wait for a `turn` before each step, which costs processor time.

        Raises:
            OSError: the connection was lost, or the handshake failed (ssl.SSLError). Then the
                client is sent the alert that says why; or it sends no TLS at all (PlainText).

        """
        if LETTER.match(await self._receive()):
            raise PlainText
        await turn()
        while not self._continue_handshake():
            await self._receive()
            await turn()

    def _continue_handshake(self) -> bool:
        """Go on with the handshake; return whether it is complete."""
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._flush()
        return True

    async def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end.

        Raises:
            OSError: the connection was lost, or what came is not valid TLS, or too many KeyUpdates
                (ssl.SSLError).

        """
        while True:
            pieces, ended = self._read_available(size)
            self._key_update_bytes += self._flush()
            if self._key_update_bytes > KEY_UPDATE_BYTES:
                raise ssl.SSLError("too many KeyUpdates")
            if pieces or ended:
                return b"".join(pieces)
            await asyncio.sleep(0)  # what has arrived may hold no data again
            await self._receive()

    def _read_available(self, size: int) -> tuple[list[bytes], bool]:
        """Decrypt what has been received, up to `size` bytes; return it, and whether it ended."""
        pieces: list[bytes] = []
        with suppress(ssl.SSLWantReadError):
            while size:
                piece = self.ssl_object.read(size)
                if not piece:
                    return pieces, True
                pieces.append(piece)
                size -= len(piece)
        return pieces, False

    def write(self, data: bytes) -> None:
        """Encrypt and send.

        Raises:
            OSError: the TLS connection has been closed (ssl.SSLError).

        """
        left = memoryview(data)
        while left:
            left = left[self.ssl_object.write(left) :]
        self._flush()

    def close(self) -> None:
        """Send close_notify; discard what still comes until the client closes, too."""
        with suppress(OSError):
            self.ssl_object.unwrap()  # "want read" here: the client's own close_notify
        self._flush()
        discard_rest(self._writer)

    async def _receive(self) -> bytes:
        data = await self._reader.read(self._read_bytes)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        return data

    def _flush(self) -> int:
        """Send what OpenSSL has to send; return how many bytes."""
        data = self._outgoing.read()
        if data and not self._writer.transport.is_closing():
            self._writer.write(data)
        return len(data)


def discard_rest(writer: asyncio.StreamWriter) -> None:
    """Close the sending half of a connection, and discard what its client sends until it closes.

    Closing a socket with unread data in it sends a reset, which can destroy what was sent before
    the client has read it.
    """
    transport: Any = writer.transport  # typed as one that only writes
    if transport.is_closing():
        return
    transport.set_protocol(_Discard(transport.get_protocol()))
    with suppress(OSError, RuntimeError):
        transport.write_eof()
    transport.pause_reading()  # reading begins anew, and finds an end that came before, too
    transport.resume_reading()


class _Discard(asyncio.Protocol):
    """Discards what is received, and passes everything else on to the protocol it replaces."""

    def __init__(self, replaced: asyncio.BaseProtocol) -> None:
        self._replaced = replaced

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._replaced.connection_lost(exc)

    @override
    def pause_writing(self) -> None:
        self._replaced.pause_writing()

    @override
    def resume_writing(self) -> None:
        self._replaced.resume_writing()


def describe(secured: ssl.SSLObject) -> dict[str, str | None]:
    """Return the TLS version and cipher suite of a connection."""
    return {"version": secured.version(), "cipher": (secured.cipher() or [""])[0]}


def has_unacknowledged(connection: socket.socket) -> bool:
    """Whether the kernel still holds bytes that the client has not acknowledged."""
    try:
        return any(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))
    except (OSError, ValueError):
        return False  # closed already
