"""A line of text as a PNG, TIFF or BMP of any sample size, byte order and photometric meaning."""

import struct
import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.generic]
Order = Literal["<", ">"]
_SHORT, _LONG = 3, 4
_UNSIGNED = 1


def rows(samples: Samples, bits: int, order: Order = ">") -> list[bytes]:
    """Return each row of H x W x S samples, packed without gaps, from the highest bit on."""
    if bits in {8, 16, 32}:
        kind = samples.dtype.newbyteorder(order)
        return [row.astype(kind).tobytes() for row in samples]
    high = np.unpackbits(samples.astype(">u2").view(np.uint8).reshape(*samples.shape, 2), axis=-1)
    used = high[..., 16 - bits :]
    return [np.packbits(row.reshape(-1)).tobytes() for row in used]


def tiff(
    samples: Samples,
    bits: int,
    order: Order,
    *,
    photometric: int = 1,
    sample_format: int = _UNSIGNED,
    extra: int | None = None,
) -> bytes:
    """Return an uncompressed TIFF of H x W x S samples; `extra` says what its last sample is.

    Source: TIFF 6.0, sections 2 and 8.
    """
    height, width, count = samples.shape
    data = b"".join(rows(samples, bits, order))
    shorts: dict[int, Sequence[int]] = {
        258: [bits] * count, 259: [1], 262: [photometric], 277: [count],
        339: [sample_format] * count,
    }  # fmt: skip
    if extra is not None:
        shorts[338] = [extra]
    longs = {256: width, 257: height, 273: 8, 278: height, 279: len(data)}
    lists = {tag: struct.pack(f"{order}{len(own)}H", *own) for tag, own in shorts.items()}
    beyond = b""
    entries = []
    for tag in sorted({*lists, *longs}):
        if tag in longs:
            entry = struct.pack(order + "HHII", tag, _LONG, 1, longs[tag])
        else:
            value = lists[tag].ljust(4, b"\0")
            if len(value) > 4:
                value, beyond = (
                    struct.pack(order + "I", 8 + len(data) + len(beyond)),
                    beyond + value,
                )
            entry = struct.pack(order + "HHI", tag, _SHORT, len(shorts[tag])) + value
        entries.append(entry)
    start = struct.pack(order + "HI", 42, 8 + len(data) + len(beyond))
    directory = struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    return {"<": b"II", ">": b"MM"}[order] + start + data + beyond + directory


def png(samples: Samples, bits: int, colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of H x W x S samples; `chunks` come before the pixels.

    Source: PNG, section 11.
    """
    height, width, _ = samples.shape
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows(samples, bits)))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = b""
    for kind, content in ((b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        body += struct.pack(">I", len(content)) + kind + content + checksum
    return b"\x89PNG\r\n\x1a\n" + body


def bmp(samples: Samples, bits: int, palette: bytes = b"") -> bytes:
    """Return a BMP, bottom row first, of H x W x S samples. Source: BITMAPINFOHEADER."""
    height, width, _ = samples.shape
    padded = [row + bytes(-len(row) % 4) for row in rows(samples, bits, "<")]
    data = b"".join(reversed(padded))
    depth = bits * samples.shape[2]
    info = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, depth, 0, len(data), 0, 0, len(palette) // 4, 0
    )
    start = 14 + len(info) + len(palette)
    return struct.pack("<2sIII", b"BM", start + len(data), 0, start) + info + palette + data
