"""Connections for attackers: TLS, frames written by hand, and a note of how each one ended."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from secrets import randbelow
from typing import Self

from hpack import Encoder

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
HEAD_BYTES = 9
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SMALL_BUFFER = 4096  # what a client that doesn't read lets its kernel hold


@dataclass
class Target:
    """What is attacked, with a key or without, and a tally of what came of it."""

    port: int
    ca: str
    key: str = ""
    crowd: bool = False
    """Whether each connection comes from an address of its own."""
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def source(self) -> str:
        """An address of this machine that honest clients do not have."""
        return f"127.{1 + randbelow(254)}.{randbelow(255)}.9" if self.crowd else "127.0.0.2"

    def trust(self, *protocols: str) -> ssl.SSLContext:
        """Return a context that trusts the service."""
        context = ssl.create_default_context(cafile=self.ca)
        context.set_alpn_protocols(list(protocols))
        return context


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Return a frame of HTTP/2 (RFC 9113, section 4.1)."""
    head = struct.pack(">I", len(payload))[1:] + bytes((kind, flags))
    return head + struct.pack(">I", stream) + payload


def block(encoder: Encoder, target: Target, method: str, path: str, **more: str) -> bytes:
    """Return a compressed header block; an attacker with a key brings it."""
    fields = {":method": method, ":scheme": "https", ":authority": "localhost", ":path": path}
    if target.key:
        fields["x-api-key"] = target.key
    encoded: bytes = encoder.encode([*fields.items(), *more.items()])
    return encoded


class Line:
    """One connection of an attacker, open within `async with`."""

    def __init__(self, target: Target, *protocols: str, reads: bool = True) -> None:
        self.target = target
        self.tally = target.tally
        self._protocols = protocols
        self._reads = reads

    async def __aenter__(self) -> Self:
        bare = socket.socket()
        if not self._reads:
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        bare.bind((self.target.source, 0))
        bare.settimeout(0)
        try:
            await asyncio.get_running_loop().sock_connect(bare, ("127.0.0.1", self.target.port))
            context = self.target.trust(*self._protocols) if self._protocols else None
            name = "localhost" if self._protocols else None
            self.reader, self._writer = await asyncio.open_connection(
                sock=bare, ssl=context, server_hostname=name, limit=SMALL_BUFFER
            )
        except OSError:
            self.tally["refused"] += 1
            bare.close()
            raise
        self.tally["opened"] += 1
        self._reading = asyncio.create_task(self._read()) if self._reads else None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        self._writer.transport.abort()

    async def send(self, data: bytes, count: int = 1) -> None:
        """Send; raise OSError once the service has closed."""
        self.tally["sent"] += count
        self._writer.write(data)
        await self._writer.drain()
        if self._reading is not None and self._reading.done():
            raise ConnectionResetError
        await asyncio.sleep(0)

    async def closed(self) -> None:
        """Wait until the service has closed the connection."""
        if self._reading is not None:
            await asyncio.wait([self._reading])
        else:
            await self._writer.wait_closed()

    async def _read(self) -> None:
        """Throw away what comes, but count GOAWAYs by their code."""
        rest = bytearray()
        with contextlib.suppress(OSError):
            while data := await self.reader.read(65536):
                rest += data
                if "h2" in self._protocols:
                    for kind, payload in _frames(rest):
                        if kind == GOAWAY:
                            self.tally[f"goaway {int.from_bytes(payload[4:8])}"] += 1
                else:
                    self._note_status(rest)
                    rest.clear()
        self.tally["closed"] += 1

    def _note_status(self, data: bytearray) -> None:
        if data.startswith(b"HTTP/1.1 "):
            self.tally[f"status {data[9:12].decode()}"] += 1


def _frames(rest: bytearray) -> Iterator[tuple[int, bytes]]:
    """Take the whole frames out of what has come."""
    while len(rest) >= HEAD_BYTES:
        length = HEAD_BYTES + int.from_bytes(rest[:3])
        if len(rest) < length:
            return
        yield rest[3], bytes(rest[HEAD_BYTES:length])
        del rest[:length]


class Http2(Line):
    """A line with HTTP/2's preface and settings sent."""

    def __init__(self, target: Target, *, reads: bool = True, window: int | None = None) -> None:
        super().__init__(target, "h2", reads=reads)
        self._settings = b"" if window is None else struct.pack(">HI", 4, window)
        self.encoder = Encoder()
        self._next = 1

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.send(PREFACE + frame(SETTINGS, payload=self._settings), 0)
        return self

    def stream(self) -> int:
        """Return a new stream's number."""
        number, self._next = self._next, self._next + 2
        return number

    def request(self, method: str, path: str, *, end: bool = True, **more: str) -> bytes:
        """Return the head of a request on a new stream."""
        self.last = self.stream()
        flags = END_HEADERS | (END_STREAM if end else 0)
        headers = block(self.encoder, self.target, method, path, **more)
        return frame(HEADERS, flags, self.last, headers)
