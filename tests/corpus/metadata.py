"""Images whose EXIF, XMP or colour profile is hostile; the pixels are sound.

Sources: CIPA DC-008 (EXIF) 4.6, ICC.1 7.2 and annex B, XMP part 3.
"""

import struct
from functools import partial

from tests.corpus.entry import FORGIVEN, MARK, READ, Entry
from tests.corpus.jpeg import segment, with_segments
from tests.corpus.png import chunk, png
from tests.corpus.tiff import ASCII, LONG, RATIONAL, SHORT, Field, directory
from tests.corpus.webp import extended

ORIENTATION = 0x0112
_EXIF_DIRECTORY, _GPS_DIRECTORY, _INTEROPERABILITY, _MAKER_NOTE = 0x8769, 0x8825, 0xA005, 0x927C
_FIRST = 8  # where the first directory is
_HEADER = b"II*\0" + struct.pack("<I", _FIRST)


def _exif(*fields: Field, following: int = 0) -> bytes:
    """Return a JPEG whose EXIF is a directory of these fields."""
    return _raw_exif(_HEADER + directory(fields, following))


def _raw_exif(data: bytes) -> bytes:
    return with_segments(segment(0xE1, b"Exif\0\0" + data))


def _turned(kind: int, count: int, value: int) -> bytes:
    return _exif((ORIENTATION, kind, count, value))


def _xmp(text: bytes) -> bytes:
    return with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text))


def _laughs() -> bytes:
    """Return XMP whose entities multiply to 10^9 laughs."""
    entities = b"".join(
        b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10)
    )
    return _xmp(b'<!DOCTYPE x [<!ENTITY l0 "ha">%s]><x tiff:Orientation="6">&l9;</x>' % entities)


def _icc(*parts: tuple[int, int, bytes]) -> bytes:
    """Return a JPEG with these parts of a profile: which, of how many, its bytes."""
    return with_segments(
        *(
            segment(0xE2, b"ICC_PROFILE\0" + bytes((number, of)) + body)
            for number, of, body in parts
        )
    )


def _profile(tags: int, size: int) -> bytes:
    """Return the beginning of a profile that claims so many tags and bytes."""
    return (
        struct.pack(">I", size) + b"lcms\4\0\0\0mntrRGB XYZ " + bytes(104) + struct.pack(">I", tags)
    )


_ORIENTATIONS = {
    "0": (SHORT, 1, 0),
    "99": (SHORT, 1, 99),
    "65535": (SHORT, 1, 65_535),
    "of-text": (ASCII, 4, 0x39393939),
    "of-ratio": (RATIONAL, 1, 0xFFFFFFF0),
    "of-unknown-kind": (99, 1, 6),
    "4g-times": (SHORT, 0xFFFFFFFF, 8),
    "no-times": (SHORT, 0, 6),
}
_DIRECTORIES: dict[str, tuple[Field, ...]] = {
    "exif-in-itself": ((_EXIF_DIRECTORY, LONG, 1, _FIRST), (ORIENTATION, SHORT, 1, 6)),
    "gps-in-itself": ((_GPS_DIRECTORY, LONG, 1, _FIRST), (ORIENTATION, SHORT, 1, 6)),
    "interoperability-in-itself": (
        (_EXIF_DIRECTORY, LONG, 1, _FIRST),
        (_INTEROPERABILITY, LONG, 1, _FIRST),
    ),
    "directory-off-the-end": ((_EXIF_DIRECTORY, LONG, 1, 0xFFFFFFFF),),
    "directory-of-text": ((_EXIF_DIRECTORY, ASCII, 4, 0x41414141),),
    "maker-note-of-4-gb": ((_MAKER_NOTE, 7, 0xFFFFFFFF, _FIRST),),
    "3000-fields": tuple((number, LONG, 1, 0xFFFFFFFF) for number in range(3000)),
    "one-field-3000-times": ((ORIENTATION, SHORT, 1, 6),) * 3000,
}

ENTRIES = (
    *(
        Entry(f"exif-orientation-{name}", partial(_turned, *field), READ)
        for name, field in _ORIENTATIONS.items()
    ),
    *(
        Entry(f"exif-{name}", partial(_exif, *fields), FORGIVEN)
        for name, fields in _DIRECTORIES.items()
    ),
    Entry("exif-next-is-itself", lambda: _exif((ORIENTATION, SHORT, 1, 6), following=_FIRST), READ),
    Entry("exif-of-garbage", lambda: _raw_exif(MARK * 5400), READ),
    Entry("exif-of-nothing", lambda: _raw_exif(b""), READ),
    Entry("exif-claims-65535-fields", lambda: _raw_exif(_HEADER + b"\xff\xff" + MARK * 5000),
          FORGIVEN),
    Entry("exif-twice", lambda: with_segments(
        segment(0xE1, b"Exif\0\0" + _HEADER + directory(((ORIENTATION, SHORT, 1, 6),))),
        segment(0xE1, b"Exif\0\0" + MARK)), READ),
    Entry("exif-garbage-in-png", lambda: png(before=[chunk(b"eXIf", MARK * 5400)]), READ),
    Entry("exif-garbage-in-webp", lambda: extended((b"EXIF", MARK * 5400), flags=8), READ),
    Entry("xmp-of-laughs", _laughs, READ),
    Entry("xmp-orientation-99", lambda: _xmp(b'<x tiff:Orientation="99"/>' + MARK), READ),
    Entry("xmp-60000-orientations", lambda: _xmp(b"<tiff:Orientation>" * 3300), READ),
    Entry("icc-of-garbage", lambda: _icc((1, 1, MARK * 5000)), READ),
    Entry("icc-of-nothing", lambda: _icc((1, 1, b"")), READ),
    Entry("icc-part-0-of-0", lambda: _icc((0, 0, _profile(1, 132))), READ),
    Entry("icc-part-255-of-2", lambda: _icc((255, 2, MARK), (1, 255, MARK)), READ),
    Entry("icc-of-4g-tags", lambda: _icc((1, 1, _profile(0xFFFFFFFF, 0xFFFFFFFF))), READ),
    Entry("icc-in-cmyk", lambda: with_segments(
        segment(0xE2, b"ICC_PROFILE\0\1\1" + _profile(1 << 16, 128)), name="jpeg-cmyk"), READ),
    Entry("icc-garbage-in-png", lambda: png(before=[chunk(b"iCCP", b"p\0\0" + MARK)]), FORGIVEN),
    Entry("icc-garbage-in-webp", lambda: extended((b"ICCP", MARK * 500), flags=32), READ),
)  # fmt: skip
