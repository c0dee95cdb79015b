"""Hostile PNG files. Source: PNG, third edition (W3C), sections 5 and 11."""

import struct
import zlib
from collections.abc import Sequence
from functools import partial
from itertools import product

from tests.corpus.entry import (
    BROKEN,
    FORGIVEN,
    MARK,
    READ,
    TOO_LARGE,
    TOO_LARGE_OR_BROKEN,
    Entry,
)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MEGABYTE = 1 << 20
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PALETTE = bytes(range(48))
_ROWS = zlib.compress(bytes(33 * 16))


def chunk(kind: bytes, body: bytes = b"", *, length: int | None = None) -> bytes:
    """Return a chunk with its checksum; `length` is what it says of its body."""
    told = struct.pack(">I", len(body) if length is None else length)
    return told + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int, depth: int = 8, colour: int = 0, interlace: int = 0) -> bytes:
    """Return an IHDR chunk."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(
    width: int = 32,
    height: int = 16,
    *,
    depth: int = 8,
    colour: int = 0,
    interlace: int = 0,
    before: Sequence[bytes] = (),
    pixels: Sequence[bytes] | None = None,
    after: Sequence[bytes] = (),
) -> bytes:
    """Return a file of black, with chunks `before` its pixels, instead of them and `after` them."""
    if pixels is None:
        row = b"\0" + bytes((width * depth * _CHANNELS.get(colour, 1) + 7) // 8)
        pixels = [chunk(b"IDAT", zlib.compress(row * height, 9))]
    parts = [header(width, height, depth, colour, interlace), *before, *pixels, *after]
    return SIGNATURE + b"".join(parts) + chunk(b"IEND")


def _idat(data: bytes) -> list[bytes]:
    return [chunk(b"IDAT", data)]


def _bomb(megabytes: int = 64) -> bytes:
    """Return zeros, packed a thousandfold."""
    packer = zlib.compressobj(9)
    zeros = bytes(_MEGABYTE)
    return b"".join([*(packer.compress(zeros) for _ in range(megabytes)), packer.flush()])


def _text_bomb() -> bytes:
    text = chunk(b"zTXt", MARK + b"\0\0" + _bomb())
    return png(before=[text])


def _many_text_bombs() -> bytes:
    """Return texts each below the limit of one, together above that of all."""
    texts = [chunk(b"zTXt", b"k%d\0\0" % number + _bomb(1)) for number in range(100)]
    return png(before=texts)


def _every_size(sizes: Sequence[tuple[int, int]]) -> list[Entry]:
    return [
        Entry(
            f"png-claims-{width}x{height}",
            partial(png, width, height, pixels=_idat(b"x")),
            TOO_LARGE if width * height else BROKEN,
        )
        for width, height in sizes
    ]


_PALETTES: dict[str, list[bytes]] = {
    "no-palette": [],
    "palette-of-4-bytes": [chunk(b"PLTE", b"\1\2\3\4")],
    "palette-of-1000": [chunk(b"PLTE", bytes(3000)), chunk(b"tRNS", bytes(1000))],
    "transparency-of-1-byte": [chunk(b"PLTE", _PALETTE), chunk(b"tRNS", b"\1")],
}
_LIES: dict[str, list[bytes]] = {
    "chunk-of-4-gb": [chunk(b"tEXt", MARK, length=0xFFFFFFFF)],
    "negative-chunk": [chunk(b"tEXt", MARK, length=0x80000000)],
    "short-gama": [chunk(b"gAMA", b"\0"), chunk(b"cHRM", b"\0" * 5), chunk(b"pHYs", b"\1")],
    "zero-phys": [chunk(b"gAMA", bytes(4)), chunk(b"pHYs", bytes(9)), chunk(b"sRGB", b"")],
    "text-without-end": [chunk(b"tEXt", MARK), chunk(b"iTXt", MARK), chunk(b"zTXt", MARK)],
    "animation-of-4g-frames": [chunk(b"acTL", b"\xff" * 8), chunk(b"fcTL", b"\xff" * 26)],
    "end-first": [chunk(b"IEND")],
}

ENTRIES = (
    *_every_size([(0, 16), (16, 0), (50_000, 50_000), (2**31 - 1, 2**31 - 1), (2**32 - 1, 1)]),
    *(
        Entry(f"png-colour-{colour}-{name}", partial(png, colour=colour, before=chunks), FORGIVEN)
        for colour, (name, chunks) in product((0, 2, 3, 6), _PALETTES.items())
    ),
    *(
        Entry(f"png-{name}", partial(png, before=chunks), FORGIVEN)
        for name, chunks in _LIES.items()
    ),
    Entry("png-two-headers", lambda: png(before=[header(1 << 30, 1 << 30)]), TOO_LARGE_OR_BROKEN),
    Entry("png-unknown-colour", lambda: png(colour=5), BROKEN),
    Entry("png-depth-3", lambda: png(depth=3), BROKEN),
    Entry("png-rgb-of-1-bit", lambda: png(colour=2, depth=1), BROKEN),
    Entry("png-64-bit", lambda: png(depth=64), BROKEN),
    Entry("png-text-bomb", _text_bomb, FORGIVEN),
    Entry("png-many-text-bombs", _many_text_bombs, FORGIVEN),
    Entry("png-profile-bomb", lambda: png(before=[chunk(b"iCCP", b"p\0\0" + _bomb())]), FORGIVEN),
    Entry("png-pixel-bomb", lambda: png(pixels=_idat(_bomb(256))), FORGIVEN),
    Entry("png-pixels-missing", lambda: png(pixels=[]), BROKEN),
    Entry("png-pixels-empty", lambda: png(pixels=_idat(b"")), BROKEN),
    Entry("png-pixels-short", lambda: png(pixels=_idat(zlib.compress(b"\0" * 9))), BROKEN),
    Entry("png-pixels-garbage", lambda: png(pixels=_idat(MARK * 40)), BROKEN),
    Entry("png-pixels-raw-deflate", lambda: png(pixels=_idat(_ROWS[2:])), BROKEN),
    Entry("png-filter-255", lambda: png(pixels=_idat(zlib.compress(b"\xff" * 528))), BROKEN),
    Entry(
        "png-pixels-in-40000-chunks",
        lambda: png(pixels=_idat(b"") * 40_000 + _idat(_ROWS)),
        FORGIVEN,
    ),
    Entry("png-100000-chunks", lambda: png(before=[chunk(b"teSt")] * 100_000), FORGIVEN),
    Entry("png-interlaced-in-name-only", lambda: png(interlace=1), FORGIVEN),
    Entry("png-interlace-255", lambda: png(interlace=255), FORGIVEN),
    Entry("png-wrong-checksum", lambda: png()[:29] + b"\0\0\0\0" + png()[33:], BROKEN),
    Entry("png-followed-by-a-megabyte", lambda: png() + MARK * 87_382, READ),
    Entry("png-in-capitals", lambda: png().replace(b"IHDR", b"ihdr"), BROKEN),
    # As large as is taken: it must be read, and its memory given back.
    Entry("png-just-below-the-limit", lambda: png(7071, 7071, depth=1), READ, "?detect=false"),
    Entry("png-just-above-the-limit", lambda: png(7072, 7072, depth=1), TOO_LARGE),
    Entry("png-strip-65535-wide", lambda: png(65_535, 1), READ),
    Entry("png-strip-65535-high", lambda: png(1, 65_535), READ),
    Entry("png-strip-65535-wide-as-a-line", lambda: png(65_535, 1), READ, "?detect=false"),
    Entry("png-strip-65535-high-as-a-line", lambda: png(1, 65_535), READ, "?detect=false"),
)
