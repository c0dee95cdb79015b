"""Attackers that take their time: each function is the life of one connection."""

import asyncio

from tests.system.attacks.wire import (
    CONTINUATION,
    DATA,
    HEADERS,
    PING,
    Http2,
    Line,
    Target,
    block,
    frame,
)

DRIP_S = 0.05
LENGTH = 1_000_000
HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


async def header_trickle(target: Target) -> None:
    """HTTP/1.1: a header field that goes on for ever, a byte at a time."""
    async with Line(target, "http/1.1") as line:
        await line.send(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ")
        while True:
            await line.send(b"a")
            await asyncio.sleep(DRIP_S)


async def header_trickle_h2(target: Target) -> None:
    """HTTP/2: a head in CONTINUATIONs of a byte each."""
    async with Http2(target) as line:
        headers = block(line.encoder, target, "GET", "/healthz", **{"x-slow": "a" * 10_000})
        await line.send(frame(HEADERS, 0, 1, headers[:1]))
        for byte in headers[1:]:
            await line.send(frame(CONTINUATION, 0, 1, bytes((byte,))))
            await asyncio.sleep(1)


async def body_trickle(target: Target) -> None:
    """HTTP/1.1: an upload a byte at a time."""
    async with Line(target, "http/1.1") as line:
        fields = ["POST /ocr HTTP/1.1", "host: localhost", "content-type: image/png"]
        fields += [f"content-length: {LENGTH}", f"x-api-key: {target.key}"]
        await line.send("\r\n".join([*fields, "", ""]).encode())
        while True:
            await line.send(b"a")
            await asyncio.sleep(DRIP_S)


async def body_trickle_h2(target: Target) -> None:
    """HTTP/2: twenty uploads at a time, each a byte at a time."""
    async with Http2(target) as line:
        streams = []
        for _ in range(20):
            more = {"content-type": "image/png", "content-length": str(LENGTH)}
            await line.send(line.request("POST", "/ocr", end=False, **more))
            streams.append(line.last)
        while True:
            await line.send(b"".join(frame(DATA, 0, each, b"a") for each in streams))
            await asyncio.sleep(DRIP_S)


async def zero_window(target: Target) -> None:
    """HTTP/2: a hundred requests whose answers are given no window."""
    async with Http2(target, window=0) as line:
        for _ in range(100):
            await line.send(line.request("GET", "/healthz"))
        await line.closed()


async def deaf(target: Target) -> None:
    """HTTP/2: requests without end, from a client that reads nothing."""
    async with Http2(target, reads=False) as line:
        while True:
            await line.send(b"".join(line.request("GET", "/nowhere") for _ in range(100)), 100)


async def deaf_http1(target: Target) -> None:
    """HTTP/1.1: the same, pipelined."""
    async with Line(target, "http/1.1", reads=False) as line:
        while True:
            await line.send(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n" * 100, 100)


async def deaf_pinger(target: Target) -> None:
    """HTTP/2: PINGs from a client that reads none of their answers (CVE-2019-9512)."""
    async with Http2(target, reads=False) as line:
        while True:
            await line.send(frame(PING, payload=bytes(8)) * 1000, 1000)


async def half_open(target: Target) -> None:
    """TLS: the beginning of a handshake, and nothing more."""
    async with Line(target) as line:
        await line.send(HALF_HELLO)
        await line.closed()


async def silent(target: Target) -> None:
    """TLS: a handshake, and nothing more."""
    async with Line(target, "h2", "http/1.1") as line:
        await line.closed()


async def zero_window_refused(target: Target) -> None:
    """HTTP/2: the same for what is refused, which no deadline of a function bounds."""
    async with Http2(target, window=0) as line:
        for _ in range(20):
            await line.send(line.request("GET", "/nowhere"))
        await line.closed()
