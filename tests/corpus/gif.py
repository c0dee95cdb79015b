"""Hostile GIF files. Source: GIF89a specification, sections 18 to 26."""

import struct
from functools import partial

from tests.corpus.entry import (
    BROKEN,
    FORGIVEN,
    MARK,
    READ,
    TOO_LARGE,
    TOO_LARGE_OR_BROKEN,
    Entry,
)

_PIXEL = b"\x02\x02\x44\x01\x00"  # LZW: clear, colour 0, end
_COLOURS = b"\0\0\0\xff\xff\xff"
_TRAILER = b";"
_CLEAR_FOREVER = b"\x02\xff\x24\x49\x92"  # a block that is longer than the file


def frame(
    width: int = 1,
    height: int = 1,
    *,
    left: int = 0,
    top: int = 0,
    flags: int = 0,
    control: bytes = b"\x04\x00\x01\x00\x00",
    data: bytes = _PIXEL,
) -> bytes:
    """Return a frame with its graphic control extension."""
    place = struct.pack("<HHHHB", left, top, width, height, flags)
    return b"\x21\xf9" + bytes([len(control) - 1 & 255]) + control[:-1] + b"\0," + place + data


def gif(
    *frames: bytes, width: int = 16, height: int = 16, flags: int = 0x80, end: bytes = _TRAILER
) -> bytes:
    """Return a file with a palette of black and white."""
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", width, height, flags, 0, 0)
        + _COLOURS
        + b"".join(frames)
        + end
    )


def _blocks(data: bytes) -> bytes:
    """Return data in blocks of at most 255 bytes, and the end of them."""
    parts = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _bomb() -> bytes:
    """Return codes that each stand for a longer run than the last, up to a million pixels."""
    bits, position, size, code = 4, 3, 3, 6
    bits |= 0 << position
    position += size
    while code < 4096:
        bits |= code << position
        position += size
        code += 1
        if code == 1 << size and size < 12:
            size += 1
    return b"\x02" + _blocks(bits.to_bytes(position // 8 + 1, "little"))


def _extension(label: int, data: bytes) -> bytes:
    return b"\x21" + bytes([label]) + _blocks(data)


def _code_size(size: int) -> bytes:
    return gif(frame(16, 16, data=bytes([size]) + _blocks(MARK * 20)))


def _disposed(method: int, *later: bytes) -> bytes:
    control = bytes([method << 2 | 1, 1, 0, 255, 0])
    return gif(frame(control=control), frame(left=15, top=15, control=control), *later)


ENTRIES = (
    Entry("gif-claims-65535x65535", lambda: gif(frame(), width=65_535, height=65_535), TOO_LARGE),
    Entry("gif-claims-0x0", lambda: gif(frame(0, 0), width=0, height=0), BROKEN),
    Entry("gif-frame-of-65535x65535", lambda: gif(frame(65_535, 65_535)), TOO_LARGE),
    Entry("gif-frame-off-the-screen", lambda: gif(frame(left=65_535, top=65_535)), TOO_LARGE),
    Entry("gif-frame-of-0x0", lambda: gif(frame(0, 0)), FORGIVEN),
    Entry(
        "gif-second-frame-of-65535x65535",
        lambda: gif(frame(), frame(65_535, 65_535)),
        TOO_LARGE_OR_BROKEN,
    ),
    Entry(
        "gif-third-frame-off-the-screen",
        lambda: _disposed(2, frame(65_535, 65_535, left=65_535, top=65_535)),
        TOO_LARGE_OR_BROKEN,
        "?pages=3",
    ),
    *(
        Entry(f"gif-disposal-{method}", partial(_disposed, method, frame()), READ, "?pages=1-3")
        for method in range(8)
    ),
    *(
        Entry(f"gif-code-size-{size}", partial(_code_size, size), FORGIVEN)
        for size in (0, 1, 2, 8, 11, 12, 13, 255)
    ),
    Entry("gif-bomb", lambda: gif(frame(7000, 7000, data=_bomb()), width=7000, height=7000),
          FORGIVEN, "?detect=false"),
    Entry("gif-bomb-on-a-small-screen", lambda: gif(frame(16, 16, data=_bomb())), FORGIVEN),
    Entry("gif-without-end-of-data", lambda: gif(frame(16, 16, data=_CLEAR_FOREVER)), FORGIVEN),
    Entry("gif-without-trailer", lambda: gif(frame(), end=b""), FORGIVEN),
    Entry("gif-without-frames", gif, BROKEN),
    Entry("gif-without-palette", lambda: gif(frame(), flags=0), FORGIVEN),
    Entry("gif-claims-256-colours", lambda: gif(frame(), flags=0xFF), FORGIVEN),
    Entry("gif-frame-claims-256-colours", lambda: gif(frame(flags=0x87)), FORGIVEN),
    Entry("gif-interlaced", lambda: gif(frame(16, 16, flags=0x40)), FORGIVEN),
    Entry("gif-control-of-nothing", lambda: gif(frame(control=b"")), FORGIVEN),
    Entry("gif-control-alone", lambda: gif(b"\x21\xf9\x04"), BROKEN),
    Entry("gif-comment-of-a-megabyte", lambda: gif(_extension(0xFE, MARK * 87_382), frame()), READ),
    Entry("gif-application-of-garbage", lambda: gif(_extension(0xFF, MARK * 9), frame()), READ),
    Entry("gif-loop-without-count", lambda: gif(b"\x21\xff\x0bNETSCAPE2.0\0", frame()), FORGIVEN),
    Entry("gif-million-empty-extensions", lambda: gif(b"\x21\xfe\0" * 1_000_000, frame()), READ),
    Entry("gif-million-unknown-bytes", lambda: gif(b"\1" * 1_000_000, frame()), FORGIVEN),
    Entry("gif-10000-frames", lambda: gif(frame() * 10_000), TOO_LARGE),
    Entry("gif-frame-10000", lambda: gif(frame() * 10_000), READ, "?pages=10000"),
    Entry("gif-frame-10001-of-10000", lambda: gif(frame() * 10_000), frozenset({400}),
          "?pages=10001"),
    Entry("gif-screen-as-large-as-is-taken", lambda: gif(frame() * 3, width=7000, height=7000),
          READ, "?detect=false&pages=3"),
    Entry("gif-strip-65535-wide", lambda: gif(frame(), width=65_535, height=1), FORGIVEN),
    Entry("gif-of-version-00", lambda: b"GIF800" + gif(frame())[6:], BROKEN),
)  # fmt: skip
