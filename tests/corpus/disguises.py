"""Files that are not what their names and types say, files of two types at once, and no files."""

import io
import zipfile
from functools import partial

from tests.corpus.entry import BROKEN, EMPTY, FOREIGN, FORGIVEN, MARK, READ, UNRECOGNISED, Entry
from tests.corpus.gif import frame, gif
from tests.corpus.jpeg import segment, with_segments
from tests.corpus.pdf import one_page
from tests.corpus.png import chunk, png
from tests.corpus.seeds import SEEDS

_NAME = MARK.decode()
_FOREIGN = {
    "zip": b"PK\x03\x04" + MARK * 9,
    "gzip": b"\x1f\x8b\x08" + MARK * 9,
    "elf": b"\x7fELF\x02\x01\x01" + MARK * 9,
    "html": b"<html><script>alert(1)</script>" + MARK,
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
    "psd": b"8BPS\0\1" + bytes(6) + b"\0\3\0\0\0\x10\0\0\0\x10\0\x08\0\3" + MARK * 9,
    "icon": b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0" + MARK * 9,
    "jpeg-2000": b"\0\0\0\x0cjP  \r\n\x87\n" + MARK * 9,
    "jpeg-xl": b"\xff\x0a" + MARK * 9,
    "heic": b"\0\0\0\x18ftypheic" + MARK * 9,
    "pnm": b"P6 4 4 255\n" + bytes(48),
    "xbm": b"#define x_width 8\n#define x_height 8\nstatic char x_bits[] = { 0 };",
    "tga": bytes([0, 0, 2, *[0] * 9, 8, 0, 8, 0, 24, 0]) + bytes(192),
    "dds": b"DDS \x7c\0\0\0" + MARK * 20,
    "wave": b"RIFF\x24\0\0\0WAVEfmt " + MARK * 9,
    "video": b"RIFF\x24\0\0\0AVI LIST" + MARK * 9,
    "text": MARK * 99,
    "utf-16": MARK.decode().encode("utf-16") * 9,
    "nothing-but-zeros": bytes(1_000_000),
    "one-zero": b"\0",
    "one-space": b" ",
}
_NAMES = {
    "path": f"../../../../etc/{_NAME}.png",
    "shell": f"$(touch {_NAME});`id`.png",
    "null": f"{_NAME}.png%00.exe",
    "long": f"{_NAME}" * 300 + ".png",
    "script": f"<script>{_NAME}</script>.png",
    "chinese": f"收据{_NAME}.png",
}


def _pdf_in_jpeg() -> bytes:
    return with_segments(segment(0xFE, one_page()))


def _pdf_after(name: str) -> bytes:
    return SEEDS[name]() + one_page()


def _pdf_in_gif() -> bytes:
    document = one_page()
    blocks = b"".join(
        bytes([len(document[start : start + 255])]) + document[start : start + 255]
        for start in range(0, len(document), 255)
    )
    return gif(b"\x21\xfe" + blocks + b"\0", frame())


def _pdf_in_png() -> bytes:
    return png(before=[chunk(b"teXt", one_page())])


def _zip(prefix: bytes) -> bytes:
    """Return an archive that unpackers find behind any prefix."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{_NAME}.png", SEEDS["png"]())
    return prefix + stream.getvalue()


ENTRIES = (
    Entry("nothing-at-all", bytes, EMPTY),
    Entry("nothing-at-all-in-a-form", bytes, EMPTY, file_name=f"{_NAME}.png"),
    Entry("nothing-at-all-as-pdf", bytes, EMPTY, media_type="application/pdf"),
    *(
        Entry(f"foreign-{name}", partial(bytes, data), FOREIGN, file_name=f"{_NAME}.png")
        for name, data in _FOREIGN.items()
    ),
    *(
        Entry(f"name-of-a-{name}", SEEDS["png"], READ, file_name=file_name)
        for name, file_name in _NAMES.items()
    ),
    Entry("png-named-pdf", SEEDS["png"], READ, file_name=f"{_NAME}.pdf"),
    Entry("pdf-named-jpg", SEEDS["pdf"], READ, file_name=f"{_NAME}.jpg"),
    Entry("tiff-named-gif", SEEDS["tiff"], READ, file_name=f"{_NAME}.gif"),
    Entry("png-sent-as-pdf", SEEDS["png"], READ, media_type="application/pdf"),
    Entry("pdf-sent-as-jpeg", SEEDS["pdf"], READ, media_type="image/jpeg"),
    Entry("webp-sent-as-nonsense", SEEDS["webp"], READ, media_type=f"image/{_NAME}"),
    Entry("pdf-sent-as-html", SEEDS["pdf"], FOREIGN, media_type="text/html"),
    Entry("both-jpeg-and-pdf", _pdf_in_jpeg, READ),
    Entry("both-gif-and-pdf", _pdf_in_gif, READ),
    Entry("both-png-and-pdf", _pdf_in_png, READ),
    Entry("both-png-and-zip", lambda: _zip(SEEDS["png"]()), READ),
    Entry("both-pdf-and-zip", lambda: _zip(SEEDS["pdf"]()), READ),
    *(
        Entry(f"pdf-after-{name}", partial(_pdf_after, name), READ)
        for name in ("jpeg", "gif", "bmp", "webp", "tiff")
    ),
    Entry("pdf-behind-the-letters-of-bmp", lambda: b"BM" + one_page(), BROKEN),
    Entry("pdf-behind-the-letters-of-png", lambda: b"\x89PNG\r\n\x1a\n" + one_page(), BROKEN),
    Entry("pdf-behind-a-zip", lambda: b"PK\x03\x04" + one_page(), FORGIVEN),
    Entry("png-in-a-zip", lambda: _zip(b""), FOREIGN),
    Entry("png-behind-a-space", lambda: b" " + SEEDS["png"](), UNRECOGNISED),
    Entry("two-pngs", lambda: SEEDS["png"]() * 2, READ),
)
