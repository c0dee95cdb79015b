"""Hostile TIFF files. Source: TIFF, revision 6.0, sections 2, 8 and 15; BigTIFF."""

import lzma
import struct
import zlib
from collections.abc import Sequence
from functools import partial

from tests.corpus.entry import (
    BROKEN,
    FORGIVEN,
    MARK,
    READ,
    TOO_LARGE,
    TOO_LARGE_OR_BROKEN,
    UNRECOGNISED,
    Entry,
)
from tests.corpus.seeds import SEEDS

BYTE, ASCII, SHORT, LONG, RATIONAL = 1, 2, 3, 4, 5
Field = tuple[int, int, int, int]  # tag, kind, count, and the value or where it is
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_OFFSETS, _SAMPLES, _ROWS, _LENGTHS, _PLANAR, _PREDICTOR = 273, 277, 278, 279, 284, 317
_COLOURS, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_LENGTHS = 320, 322, 323, 324, 325
_SUBDIRECTORIES, _EXTRA, _FORMAT, _TABLES, _PROFILE = 330, 338, 339, 347, 34675
_SIDE = 16
_METHODS = {
    "fax-3": 3, "fax-4": 4, "lzw": 5, "old-jpeg": 6, "jpeg": 7, "deflate": 8, "packbits": 32773,
    "pixarlog": 32909, "sgilog": 34676, "lerc": 34887, "lzma": 34925, "zstd": 50000,
    "webp": 50001, "unknown": 65535,
}  # fmt: skip


def directory(fields: Sequence[Field], following: int = 0) -> bytes:
    """Return a directory of these fields and where the next one is."""
    body = b"".join(struct.pack("<HHII", *field) for field in fields)
    return struct.pack("<H", len(fields)) + body + struct.pack("<I", following)


def tiff(
    *changes: Field, data: bytes | None = None, without: Sequence[int] = (), following: int = 0
) -> bytes:
    """Return an image of 16 x 16 greys with fields changed or added; `data` is its one strip."""
    if data is None:
        data = bytes(range(_SIDE)) * _SIDE
    fields = {
        _WIDTH: (LONG, 1, _SIDE),
        _HEIGHT: (LONG, 1, _SIDE),
        _BITS: (SHORT, 1, 8),
        _COMPRESSION: (SHORT, 1, 1),
        _PHOTOMETRIC: (SHORT, 1, 1),
        _OFFSETS: (LONG, 1, 8),
        _SAMPLES: (SHORT, 1, 1),
        _ROWS: (LONG, 1, _SIDE),
        _LENGTHS: (LONG, 1, len(data)),
    }
    fields.update({tag: tuple(rest) for tag, *rest in changes})  # type: ignore[misc]
    kept = [(tag, *rest) for tag, rest in sorted(fields.items()) if tag not in without]
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory(kept, following)


def _sized(width: int, height: int, method: int = 1, data: bytes = b"\0" * 64) -> bytes:
    sizes = ((_WIDTH, LONG, 1, width), (_HEIGHT, LONG, 1, height), (_ROWS, LONG, 1, height))
    return tiff(*sizes, (_COMPRESSION, SHORT, 1, method), data=data)


def _compressed(method: int) -> bytes:
    return tiff((_COMPRESSION, SHORT, 1, method), data=MARK * 30)


def _chain(length: int, last: int = 0) -> bytes:
    """Return directories of one pixel each, the last of which names `last` as the next."""
    data, size = b"II*\0" + struct.pack("<I", 9) + b"\0", 2 + 9 * 12 + 4
    fields = [(_WIDTH, SHORT, 1, 1), (_HEIGHT, SHORT, 1, 1), (_BITS, SHORT, 1, 8),
              (_COMPRESSION, SHORT, 1, 1), (_PHOTOMETRIC, SHORT, 1, 1), (_OFFSETS, LONG, 1, 8),
              (_SAMPLES, SHORT, 1, 1), (_ROWS, SHORT, 1, 1), (_LENGTHS, LONG, 1, 1)]  # fmt: skip
    ends = [9 + size * (number + 1) for number in range(length)]
    return data + b"".join(directory(fields, end) for end in [*ends[:-1], last])


def _tiled(width: int, height: int) -> bytes:
    return tiff(
        (_TILE_WIDTH, LONG, 1, width), (_TILE_HEIGHT, LONG, 1, height),
        (_TILE_OFFSETS, LONG, 1, 8), (_TILE_LENGTHS, LONG, 1, 256),
        without=[_OFFSETS, _LENGTHS, _ROWS],
    )  # fmt: skip


def _big(offset: int, count: int = 1) -> bytes:
    """Return a BigTIFF whose directory is at `offset`, with a field of so many values."""
    fields = struct.pack("<QHHQQ", 1, _WIDTH, 16, count, 1 << 62)
    return b"II+\0" + struct.pack("<HHQ", 8, 0, offset) + fields + bytes(8)


_CHANGES: dict[str, Field] = {
    "width-of-text": (_WIDTH, ASCII, 4, 0x41414141),
    "4g-widths": (_WIDTH, LONG, 0xFFFFFFFF, 8),
    "no-width": (_WIDTH, LONG, 0, 0),
    "kind-99": (_WIDTH, 99, 1, 16),
    "1000-bit-depths": (_BITS, SHORT, 1000, 8),
    "depth-0": (_BITS, SHORT, 1, 0),
    "depth-65535": (_BITS, SHORT, 1, 65_535),
    "65535-samples": (_SAMPLES, SHORT, 1, 65_535),
    "no-samples": (_SAMPLES, SHORT, 1, 0),
    "photometric-65535": (_PHOTOMETRIC, SHORT, 1, 65_535),
    "palette-without-colours": (_PHOTOMETRIC, SHORT, 1, 3),
    "ycbcr-of-greys": (_PHOTOMETRIC, SHORT, 1, 6),
    "strip-off-the-end": (_OFFSETS, LONG, 1, 0xFFFFFFF0),
    "strip-in-the-header": (_OFFSETS, LONG, 1, 0),
    "4g-strips": (_OFFSETS, LONG, 0xFFFFFFFF, 8),
    "1m-strips": (_OFFSETS, LONG, 1_000_000, 8),
    "no-strips": (_OFFSETS, LONG, 0, 8),
    "strip-of-4-gb": (_LENGTHS, LONG, 1, 0xFFFFFFFF),
    "strip-of-nothing": (_LENGTHS, LONG, 1, 0),
    "0-rows-a-strip": (_ROWS, LONG, 1, 0),
    "1-row-a-strip": (_ROWS, LONG, 1, 1),
    "planar-3": (_PLANAR, SHORT, 1, 3),
    "planar-2": (_PLANAR, SHORT, 1, 2),
    "predictor-65535": (_PREDICTOR, SHORT, 1, 65_535),
    "palette-of-4g": (_COLOURS, SHORT, 0xFFFFFFFF, 8),
    "subdirectory-loop": (_SUBDIRECTORIES, LONG, 1, 264),
    "65535-extra-samples": (_EXTRA, SHORT, 65_535, 8),
    "format-9": (_FORMAT, SHORT, 1, 9),
    "profile-of-4-gb": (_PROFILE, 7, 0xFFFFFFFF, 8),
    "orientation-99": (274, SHORT, 1, 99),
    "text-of-4-gb": (270, ASCII, 0xFFFFFFFF, 8),
}

ENTRIES = (
    *(Entry(f"tiff-{name}", partial(tiff, field), FORGIVEN) for name, field in _CHANGES.items()),
    *(
        Entry(f"tiff-garbage-as-{name}", partial(_compressed, method), FORGIVEN)
        for name, method in _METHODS.items()
    ),
    Entry("tiff-claims-4gx4g", partial(_sized, 0xFFFFFFFF, 0xFFFFFFFF), TOO_LARGE_OR_BROKEN),
    Entry("tiff-claims-100000x100000", partial(_sized, 100_000, 100_000), TOO_LARGE),
    Entry("tiff-claims-0x0", partial(_sized, 0, 0), BROKEN),
    Entry("tiff-claims-7000x7000", partial(_sized, 7000, 7000), FORGIVEN, "?detect=false"),
    Entry("tiff-strip-65535-wide", partial(_sized, 65_535, 1, data=bytes(65_535)), READ),
    Entry("tiff-strip-65535-high", partial(_sized, 1, 65_535, data=bytes(65_535)), READ),
    Entry("tiff-deflate-bomb", lambda: tiff((_COMPRESSION, SHORT, 1, 8),
          data=zlib.compress(bytes(64 << 20), 9)), FORGIVEN),
    Entry("tiff-lzma-bomb", lambda: tiff((_COMPRESSION, SHORT, 1, 34925),
          data=lzma.compress(bytes(64 << 20), preset=1)), FORGIVEN),
    Entry("tiff-packbits-bomb", lambda: _sized(7000, 7000, 32773, b"\x81\0" * 400_000), FORGIVEN,
          "?detect=false"),
    Entry("tiff-fax-bomb", lambda: _sized(1_000_000, 50, 4, bytes(4000)), FORGIVEN,
          "?detect=false"),
    Entry("tiff-jpeg-tables-of-garbage", lambda: tiff((_COMPRESSION, SHORT, 1, 7),
          (_TABLES, 7, 100, 8), data=MARK * 30), BROKEN),
    Entry("tiff-tile-0", partial(_tiled, 0, 0), BROKEN),
    Entry("tiff-tile-4g", partial(_tiled, 0xFFFFFFF0, 0xFFFFFFF0), FORGIVEN),
    Entry("tiff-next-is-itself", lambda: tiff(following=264), FORGIVEN),
    Entry("tiff-loop-of-3", partial(_chain, 3, 9), FORGIVEN),
    Entry("tiff-next-off-the-end", partial(_chain, 2, 0xFFFFFFF0), FORGIVEN),
    Entry("tiff-2000-directories", partial(_chain, 2000), TOO_LARGE),
    Entry("tiff-directory-2000", partial(_chain, 2000), READ, "?pages=2000"),
    # Pillow looks for loops in a list, so that counting takes the square of the directories.
    Entry("tiff-40000-directories", partial(_chain, 40_000), TOO_LARGE),
    Entry("tiff-directory-off-the-end", lambda: b"II*\0\xf0\xff\xff\xff" + MARK * 9, BROKEN),
    Entry("tiff-directory-in-the-header", lambda: b"II*\0\0\0\0\0" + MARK * 9, BROKEN),
    Entry("tiff-claims-65535-fields", lambda: b"II*\0\x08\0\0\0\xff\xff" + MARK * 9, BROKEN),
    Entry("tiff-other-byte-order", lambda: b"MM" + SEEDS["tiff"]()[2:], UNRECOGNISED),
    Entry("tiff-both-byte-orders", lambda: b"MM*\0" + SEEDS["tiff"]()[4:], UNRECOGNISED),
    Entry("tiff-big-off-the-end", partial(_big, 1 << 63), BROKEN),
    Entry("tiff-big-of-2-to-62", partial(_big, 16, 1 << 62), BROKEN),
)  # fmt: skip
