"""Hostile JPEG files. Source: ITU-T T.81, annex B; T.872 for what Adobe and JFIF add."""

import struct
from functools import cache, partial

from PIL import Image

from tests.corpus.entry import (
    BROKEN,
    ENDLESS,
    FORGIVEN,
    MARK,
    READ,
    TOO_LARGE,
    UNRECOGNISED,
    Entry,
)
from tests.corpus.seeds import SEEDS, saved

START, END = b"\xff\xd8", b"\xff\xd9"
_QUANTISATION, _HUFFMAN, _SCAN, _RESTARTS = 0xDB, 0xC4, 0xDA, 0xDD
_FRAMES = {
    "extended": 0xC1,
    "lossless": 0xC3,
    "differential": 0xC5,
    "arithmetic": 0xC9,
    "arithmetic-progressive": 0xCA,
    "arithmetic-lossless": 0xCB,
}


def segment(marker: int, body: bytes = b"", *, length: int | None = None) -> bytes:
    """Return a marker segment; `length` is what it says of its body, itself included."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2 if length is None else length) + body


@cache
def _valid(name: str = "jpeg") -> bytes:
    return SEEDS[name]()


def with_segments(*segments: bytes, name: str = "jpeg") -> bytes:
    """Return a valid file with segments before its own."""
    return START + b"".join(segments) + _valid(name)[2:]


def _frame(data: bytes | bytearray) -> int:
    """Return where the frame header is."""
    return max(data.find(b"\xff\xc0\0"), data.find(b"\xff\xc2\0"))


def _changed(offset: int, new: bytes, name: str = "jpeg") -> bytes:
    """Return a valid file with bytes of its frame header replaced, counted from its marker."""
    data = bytearray(_valid(name))
    start = _frame(data) + offset
    data[start : start + len(new)] = new
    return bytes(data)


def _sized(width: int, height: int) -> bytes:
    return _changed(5, struct.pack(">HH", height, width))


def _without(marker: int) -> bytes:
    """Return a valid file with each segment of this kind made a comment."""
    return _valid().replace(bytes((0xFF, marker, 0)), b"\xff\xfe\0")


def _scan_bomb() -> bytes:
    """Return a large progressive image that repeats its last, empty scan for 4 MB."""
    data = saved(Image.new("L", (7000, 7000)), "JPEG", progressive=True)
    last = data.rfind(bytes((0xFF, _SCAN)))
    return data[:-2] + data[last:-2] * (4_000_000 // (len(data) - 2 - last)) + END


def _adobe(body: bytes) -> bytes:
    """Return a CMYK image whose Adobe marker is this."""
    data = _valid("jpeg-cmyk")
    start = data.index(b"\xff\xee")
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    return data[:start] + segment(0xEE, body) + data[start + 2 + length :]


def _restarts_everywhere() -> bytes:
    data = _valid("jpeg-grey")
    start = data.index(bytes((0xFF, _SCAN))) + 10
    return data[:start] + b"\xff\xd0\xff\xd7" * 2000 + data[start:]


def _lying_index(offset: int) -> bytes:
    """Return a file whose index of further images (MPF) lies from `offset` on."""
    data = bytearray(_valid("mpo"))
    start = data.index(b"MPF\0") + offset
    data[start : start + 8] = b"\xff" * 8
    return bytes(data)


ENTRIES = (
    *(
        Entry(f"jpeg-{name}", partial(_changed, 1, bytes([marker])), FORGIVEN)
        for name, marker in _FRAMES.items()
    ),
    Entry("jpeg-12-bit", partial(_changed, 4, b"\x0c"), BROKEN),
    Entry("jpeg-12-bit-extended", partial(_changed, 1, b"\xc1\0\x11\x0c"), BROKEN),
    Entry("jpeg-claims-65500x65500", partial(_sized, 65_500, 65_500), TOO_LARGE),
    Entry("jpeg-claims-65535x65535", partial(_sized, 65_535, 65_535), TOO_LARGE),
    Entry("jpeg-claims-7000x7000", partial(_sized, 7000, 7000), FORGIVEN, "?detect=false"),
    Entry("jpeg-claims-0x24", partial(_sized, 0, 24), BROKEN),
    Entry("jpeg-claims-60x0", partial(_sized, 60, 0), BROKEN),
    Entry("jpeg-2-components", partial(_changed, 9, b"\2"), BROKEN),
    Entry("jpeg-255-components", partial(_changed, 9, b"\xff"), BROKEN),
    Entry("jpeg-sampling-0", partial(_changed, 11, b"\0"), BROKEN),
    Entry("jpeg-sampling-15", partial(_changed, 11, b"\xff"), BROKEN),
    Entry("jpeg-same-components", partial(_changed, 13, b"\1"), FORGIVEN),
    Entry("jpeg-no-quantisation", partial(_without, _QUANTISATION), BROKEN),
    Entry("jpeg-no-huffman", partial(_without, _HUFFMAN), FORGIVEN),
    Entry("jpeg-no-scan", partial(_without, _SCAN), BROKEN),
    Entry("jpeg-scan-bomb", _scan_bomb, ENDLESS),
    Entry("jpeg-huffman-overfull", lambda: with_segments(segment(0xC4, b"\0" + b"\xff" * 300)),
          BROKEN),
    Entry("jpeg-huffman-short", lambda: with_segments(segment(0xC4, b"\0")), BROKEN),
    Entry("jpeg-segment-of-0", lambda: with_segments(segment(0xE1, MARK, length=0)), FORGIVEN),
    Entry("jpeg-segment-of-65535", lambda: with_segments(segment(0xFE, MARK, length=65_535)),
          BROKEN),
    Entry("jpeg-60-long-comments", lambda: with_segments(segment(0xFE, MARK * 5000) * 60), READ),
    Entry("jpeg-restart-every-0", lambda: with_segments(segment(_RESTARTS, b"\0\0")), READ),
    Entry("jpeg-restart-interval-short", lambda: with_segments(segment(_RESTARTS, b"")), BROKEN),
    Entry("jpeg-restarts-everywhere", _restarts_everywhere, FORGIVEN),
    Entry("jpeg-photoshop-lies", lambda: with_segments(
        segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\xff\xff\xff\xff" + MARK)), FORGIVEN),
    Entry("jpeg-jfif-short", lambda: with_segments(segment(0xE0, b"JFIF\0")), FORGIVEN),
    Entry("jpeg-adobe-short", partial(_adobe, b"Adobe"), FORGIVEN),
    Entry("jpeg-adobe-transform-9", partial(_adobe, b"Adobe\0\x64\0\0\0\0\x09"), FORGIVEN),
    Entry("jpeg-adobe-long", partial(_adobe, b"Adobe" + MARK * 5000), FORGIVEN),
    Entry("jpeg-start-alone", lambda: START, UNRECOGNISED),
    Entry("jpeg-start-and-end", lambda: START + END, BROKEN),
    Entry("jpeg-500000-starts", lambda: START * 500_000, BROKEN),
    Entry("jpeg-filled-with-ff", lambda: START + b"\xff" * 1_000_000 + _valid()[2:], FORGIVEN),
    Entry("jpeg-of-zeros", lambda: START + b"\xff" + bytes(1_000_000), BROKEN),
    Entry("jpeg-two-frames", lambda: with_segments(
        segment(0xC0, _valid()[_frame(_valid()) + 4 : _frame(_valid()) + 19])), FORGIVEN),
    Entry("jpeg-index-lies", partial(_lying_index, 8), FORGIVEN),
    Entry("jpeg-index-of-many", partial(_lying_index, 14), FORGIVEN),
    Entry("jpeg-index-off-the-end", partial(_lying_index, 60), FORGIVEN),
)  # fmt: skip
