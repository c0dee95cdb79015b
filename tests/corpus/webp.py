"""Hostile WebP files. Source: RFC 9649."""

import struct
from functools import cache, partial

from tests.corpus.entry import (
    BROKEN,
    FORGIVEN,
    MARK,
    READ,
    TOO_LARGE,
    TOO_LARGE_OR_BROKEN,
    Entry,
)
from tests.corpus.seeds import SEEDS, SIZE

Chunk = tuple[bytes, bytes]
_ALPHA, _ANIMATED = 16, 2


def riff(*chunks: Chunk, size: int | None = None) -> bytes:
    """Return a file of these chunks; `size` is what its header says."""
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4 if size is None else size) + b"WEBP" + body


@cache
def _pixels(name: str = "webp") -> Chunk:
    """Return the one chunk of a simple file."""
    data = SEEDS[name]()
    (length,) = struct.unpack("<I", data[16:20])
    return data[12:16], data[20 : 20 + length]


def _three_bytes(*values: int) -> bytes:
    return b"".join(struct.pack("<I", value)[:3] for value in values)


def _header(flags: int, width: int, height: int) -> Chunk:
    return b"VP8X", bytes([flags, 0, 0, 0]) + _three_bytes(width - 1, height - 1)


def extended(*chunks: Chunk, flags: int = 0, size: tuple[int, int] = SIZE) -> bytes:
    """Return an extended file of `size`, with these chunks before its pixels."""
    before = [each for each in chunks if each[0] == b"ICCP"]
    after = [each for each in chunks if each[0] != b"ICCP"]
    return riff(_header(flags, *size), *before, _pixels(), *after)


def _frame(left: int = 0, top: int = 0, size: tuple[int, int] = SIZE) -> Chunk:
    kind, data = _pixels()
    place = _three_bytes(left // 2, top // 2, size[0] - 1, size[1] - 1, 20) + b"\0"
    return b"ANMF", place + kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _animation(*frames: Chunk, size: tuple[int, int] = SIZE, loops: bytes = bytes(6)) -> bytes:
    return riff(_header(_ANIMATED, *size), (b"ANIM", loops), *frames)


def _lossy(width: int, height: int) -> bytes:
    kind, data = _pixels()
    return riff((kind, data[:6] + struct.pack("<HH", width, height) + data[10:]))


def _lossless(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return riff((b"VP8L", b"\x2f" + struct.pack("<I", bits) + MARK * 9))


def _damaged(name: str, start: int, new: bytes) -> bytes:
    kind, data = _pixels(name)
    return riff((kind, data[:start] + new + data[start + len(new) :]))


ENTRIES = (
    Entry("webp-claims-16383x16383", partial(_lossy, 16_383, 16_383), TOO_LARGE_OR_BROKEN),
    Entry("webp-claims-0x0", partial(_lossy, 0, 0), BROKEN),
    Entry("webp-claims-scaling", partial(_lossy, 0xFFFF, 0xFFFF), TOO_LARGE_OR_BROKEN),
    Entry("webp-lossless-claims-16384x16384", partial(_lossless, 16_384, 16_384),
          TOO_LARGE),
    Entry("webp-lossless-claims-9000x9000", partial(_lossless, 9000, 9000), TOO_LARGE_OR_BROKEN),
    Entry("webp-lossless-of-garbage", partial(_lossless, *SIZE), BROKEN),
    Entry("webp-canvas-of-16mx16m", lambda: extended(size=(1 << 24, 1 << 24)), TOO_LARGE),
    Entry("webp-canvas-of-65535x65535", lambda: extended(size=(65_535, 65_535)), TOO_LARGE),
    Entry("webp-canvas-of-9000x9000", lambda: extended(size=(9000, 9000)), TOO_LARGE),
    Entry("webp-canvas-of-1x1", lambda: extended(size=(1, 1)), BROKEN),
    Entry("webp-animation-of-65535x65535", lambda: _animation(_frame(), size=(65_535, 65_535)),
          TOO_LARGE_OR_BROKEN),
    Entry("webp-animation-of-9000x9000", lambda: _animation(_frame(), size=(9000, 9000)),
          TOO_LARGE),
    Entry("webp-10000-frames", lambda: _animation(*[_frame()] * 10_000), TOO_LARGE),
    Entry("webp-frame-2000", lambda: _animation(*[_frame()] * 2000), READ, "?pages=2000"),
    Entry("webp-frame-off-the-canvas", lambda: _animation(_frame(left=1 << 24)), BROKEN),
    Entry("webp-second-frame-off-the-canvas", lambda: _animation(_frame(), _frame(left=2)),
          FORGIVEN, "?pages=2"),
    Entry("webp-frame-larger-than-its-pixels", lambda: _animation(_frame(size=(61, 25)),
          size=(61, 25)), FORGIVEN),
    Entry("webp-animation-without-frames", _animation, BROKEN),
    Entry("webp-animation-of-nothing", lambda: _animation((b"ANMF", b"")), BROKEN),
    Entry("webp-animation-control-short", lambda: _animation(_frame(), loops=b""), BROKEN),
    Entry("webp-animated-in-name-only", lambda: extended(flags=_ANIMATED), BROKEN),
    Entry("webp-every-flag", lambda: extended(flags=0xFF), FORGIVEN),
    Entry("webp-alpha-of-garbage", lambda: riff(_header(_ALPHA, *SIZE), (b"ALPH", MARK * 9),
          _pixels()), FORGIVEN),
    Entry("webp-alpha-of-nothing", lambda: riff(_header(_ALPHA, *SIZE), (b"ALPH", b""), _pixels()),
          FORGIVEN),
    Entry("webp-two-headers", lambda: riff(_header(0, *SIZE), _header(0, 9, 9), _pixels()),
          FORGIVEN),
    Entry("webp-two-images", lambda: riff(_pixels(), _pixels("webp-lossless")), FORGIVEN),
    Entry("webp-100000-unknown-chunks", lambda: extended(*[(b"ABCD", b"")] * 100_000), FORGIVEN),
    Entry("webp-xmp-of-a-megabyte", lambda: extended((b"XMP ", MARK * 87_382), flags=4), READ),
    Entry("webp-says-0-bytes", lambda: riff(_pixels(), size=0), BROKEN),
    Entry("webp-says-4-gb", lambda: riff(_pixels(), size=0xFFFFFFFE), BROKEN),
    Entry("webp-says-an-odd-size", lambda: riff(_pixels(), size=201), FORGIVEN),
    Entry("webp-without-chunks", riff, BROKEN),
    Entry("webp-chunk-of-nothing", lambda: riff((b"VP8 ", b"")), BROKEN),
    Entry("webp-of-another-codec", lambda: riff((b"VP9 ", MARK)), BROKEN),
    Entry("webp-no-start-code", partial(_damaged, "webp", 3, b"\0\0\0"), BROKEN),
    Entry("webp-no-key-frame", partial(_damaged, "webp", 0, b"\xff"), BROKEN),
    Entry("webp-partition-of-512-kb", partial(_damaged, "webp", 0, b"\xf0\xff\xff"), BROKEN),
    Entry("webp-damaged-probabilities", partial(_damaged, "webp", 12, MARK), FORGIVEN),
    Entry("webp-damaged-codes", partial(_damaged, "webp-lossless", 8, MARK), FORGIVEN),
    Entry("webp-version-7", partial(_damaged, "webp-lossless", 4, b"\xff"), BROKEN),
)  # fmt: skip
