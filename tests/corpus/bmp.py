"""Hostile BMP files. Source: Microsoft's documentation of BITMAPINFOHEADER and BITMAPV5HEADER."""

import struct
from functools import partial
from itertools import product

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

_RLE8, _RLE4, _BITFIELDS = 1, 2, 3
_TO_END_OF_LINE, _TO_END, _DELTA = b"\0\0", b"\0\1", b"\0\2"


def bmp(
    width: int = 16,
    height: int = 16,
    *,
    bits: int = 24,
    compression: int = 0,
    colours: int = 0,
    header: int = 40,
    offset: int = 54,
    planes: int = 1,
    rest: bytes | None = None,
) -> bytes:
    """Return a file of black; `rest` is what follows the header: palette and pixels."""
    if rest is None:
        rest = bytes(16 * 16 * 4)
    info = struct.pack(
        "<IIIHHIIIIII",
        header, width & 0xFFFFFFFF, height & 0xFFFFFFFF, planes, bits, compression, 0, 0, 0,
        colours, 0,
    )  # fmt: skip
    return b"BM" + struct.pack("<IHHI", 54 + len(rest), 0, 0, offset) + info + rest


def _runs(data: bytes, compression: int = _RLE8) -> bytes:
    """Return an image of runs over a palette of 256 colours."""
    bits = 4 if compression == _RLE4 else 8
    palette = bytes(1024)
    return bmp(bits=bits, compression=compression, offset=54 + 1024, rest=palette + data)


_RUNS = {
    "none": b"",
    "end": _TO_END,
    "past-the-line": b"\xff\1" * 40 + _TO_END,
    "literal-past-the-end": b"\0\xff" + MARK,
    "delta-off-the-image": (_DELTA + b"\xff\xff") * 40 + _TO_END,
    "delta-cut": _DELTA,
    "500000-lines": _TO_END_OF_LINE * 500_000 + _TO_END,
    "500000-runs": b"\xff\1" * 500_000,
}

ENTRIES = (
    *(
        Entry(f"bmp-claims-{width}x{height}", partial(bmp, width, height), statuses)
        for width, height, statuses in (
            (2**31 - 1, 2**31 - 1, TOO_LARGE),
            (50_000, 50_000, TOO_LARGE),
            (16, -(2**31), TOO_LARGE),
            (-16, 16, TOO_LARGE_OR_BROKEN),
            (0, 16, BROKEN),
            (16, 0, BROKEN),
            (7000, 7000, BROKEN),
        )
    ),
    *(
        Entry(f"bmp-depth-{bits}-method-{method}", partial(bmp, bits=bits, compression=method),
              FORGIVEN)
        for bits, method in product((0, 3, 16, 64), (0, _BITFIELDS))
    ),
    *(
        Entry(f"bmp-runs-{method}-{name}", partial(_runs, data, method), FORGIVEN)
        for name, data in _RUNS.items()
        for method in ((_RLE8, _RLE4) if len(data) < 1000 else (_RLE8,))
    ),
    *(
        Entry(f"bmp-header-of-{size}", partial(bmp, header=size), FORGIVEN)
        for size in (0, 12, 39, 124, 0xFFFFFFFF)
    ),
    Entry("bmp-4g-colours", partial(bmp, bits=8, colours=0xFFFFFFFF), FORGIVEN),
    Entry("bmp-1-colour-of-1-bit", partial(bmp, bits=1, colours=1), FORGIVEN),
    Entry("bmp-pixels-off-the-end", partial(bmp, offset=0xFFFFFFFF), BROKEN),
    Entry("bmp-pixels-in-the-header", partial(bmp, offset=0), FORGIVEN),
    Entry("bmp-method-99", partial(bmp, compression=99), BROKEN),
    Entry("bmp-of-jpeg", partial(bmp, bits=0, compression=4, rest=MARK * 9), BROKEN),
    Entry("bmp-0-planes", partial(bmp, planes=0), FORGIVEN),
    Entry("bmp-strip-65535-wide", lambda: bmp(65_535, 1, rest=bytes(65_536 * 3)), READ),
    Entry("bmp-strip-65535-high", lambda: bmp(1, 65_535, rest=bytes(65_536 * 4)), READ),
    Entry("bmp-strip-65535-high-from-above", lambda: bmp(1, -65_535, rest=bytes(65_536 * 4)), READ),
    Entry("bmp-letters-alone", lambda: b"BM", UNRECOGNISED),
)  # fmt: skip
