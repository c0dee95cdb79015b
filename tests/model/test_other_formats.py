"""Formats that are not supported are recognised by their content, and the parent hears of it."""

import base64
import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from model.decoding.images import ImageFile
from model.errors import UnreadableImage, UnsupportedImageType
from model.other_formats import OtherFormat, other_format
from tests.model.decoding.decoders import decode, running
from tests.model.images import to_bytes

PAGE = Image.new("RGB", (64, 64), "white")
PNG = to_bytes(PAGE)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>'
CHINESE = "合同编号 20260101\n" * 100  # the first KB ends within a character
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def _zip(*names: str, first: str | None = None, filler: int = 0) -> bytes:
    """Return a ZIP file with these names, the first uncompressed with this content."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        if first is not None:
            archive.writestr("mimetype", first)
        for name in names:
            archive.writestr(name, bytes(filler))
    return stream.getvalue()


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("page.png"))
    return stream.getvalue()


def _brands(major: bytes, *compatible: bytes) -> bytes:
    box = major + bytes(4) + b"".join(compatible)
    return (8 + len(box)).to_bytes(4, "big") + b"ftyp" + box + b"\0\0\0\x08mdat"


SAMPLES: dict[str, tuple[bytes, OtherFormat]] = {
    "heic of an iPhone": (_brands(b"heic", b"mif1", b"heic"), OtherFormat.HEIC),
    "heif with a general brand": (_brands(b"mif1", b"mif1", b"heix"), OtherFormat.HEIC),
    "mp4": (_brands(b"isom", b"mp42"), OtherFormat.VIDEO),
    "avi": (b"RIFF\x10\0\0\0AVI LIST", OtherFormat.VIDEO),
    "jp2": (to_bytes(PAGE, "JPEG2000"), OtherFormat.JPEG_2000),
    "jpeg xl": (b"\xff\x0a\xfa\x1f", OtherFormat.JPEG_XL),
    "ico": (to_bytes(PAGE, "ICO"), OtherFormat.ICO),
    "ppm": (to_bytes(PAGE, "PPM"), OtherFormat.PNM),
    "eps": (to_bytes(PAGE, "EPS"), OtherFormat.POSTSCRIPT),
    "psd": (b"8BPS\0\x01", OtherFormat.PSD),
    "djvu": (b"AT&TFORM\0\0\0\x10DJVU", OtherFormat.DJVU),
    "svg": (SVG, OtherFormat.SVG),
    "svg with a declaration": (
        XML + b'<!-- a drawing -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "">\n' + SVG,
        OtherFormat.SVG,
    ),
    "svg in UTF-16": (SVG.decode().encode("utf-16"), OtherFormat.SVG),
    "docx": (_zip("[Content_Types].xml", "_rels/.rels", "word/document.xml"), OtherFormat.DOCX),
    "xlsx": (_zip("[Content_Types].xml", "xl/workbook.xml"), OtherFormat.XLSX),
    "pptx": (_zip("[Content_Types].xml", "ppt/presentation.xml"), OtherFormat.PPTX),
    "docx of 1 MB": (
        _zip("[Content_Types].xml", "docProps/app.xml", "word/media/a.png", filler=400_000),
        OtherFormat.DOCX,
    ),
    "odt": (
        _zip("content.xml", first="application/vnd.oasis.opendocument.text"),
        OtherFormat.OPENDOCUMENT,
    ),
    "epub": (_zip("META-INF/container.xml", first="application/epub+zip"), OtherFormat.EPUB),
    "zip": (_zip("scans/page1.png", "word/page2.png"), OtherFormat.ZIP),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), OtherFormat.OFFICE_97),
    "rtf": (rb"{\rtf1\ansi Text}", OtherFormat.RTF),
    "gzip": (gzip.compress(PNG), OtherFormat.ARCHIVE),
    "bzip2": (bz2.compress(PNG), OtherFormat.ARCHIVE),
    "xz": (lzma.compress(PNG), OtherFormat.ARCHIVE),
    "tar": (_tar(), OtherFormat.ARCHIVE),
    "html": (b"\r\n<!DOCTYPE HTML><title>Login</title><svg></svg>", OtherFormat.HTML),
    "xhtml": (XML + b'<html xmlns="http://www.w3.org/1999/xhtml"><svg/>', OtherFormat.HTML),
    "json": (b'{"image": "iVBORw0KGgo="}', OtherFormat.JSON),
    "json list": (b' [{"image": ""}]', OtherFormat.JSON),
    "base64": (base64.b64encode(PNG), OtherFormat.BASE64),
    "base64 with line breaks": (base64.encodebytes(PNG), OtherFormat.BASE64),
    "base64 of 100 KB": (base64.b64encode(bytes(75_000)), OtherFormat.BASE64),
    "data URL": (b"data:image/png;base64," + base64.b64encode(PNG), OtherFormat.BASE64),
    "url": (b"https://example.com/scan.png\n", OtherFormat.URL),
    "text": (b"just some words", OtherFormat.TEXT),
    "text in Chinese": (CHINESE.encode(), OtherFormat.TEXT),
    "text in GB 18030": (CHINESE.encode("gb18030"), OtherFormat.TEXT),
    "other xml": (XML + b"<invoice/>", OtherFormat.TEXT),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_format_is_named(name: str) -> None:
    """As other_format does, the error of the file does."""
    data, expected = SAMPLES[name]
    assert other_format(data) is expected
    with pytest.raises(UnsupportedImageType) as caught:
        ImageFile(data, 1_000_000)
    assert caught.value.found == expected


def test_every_format_has_a_sample() -> None:
    """None is in the list that nothing finds."""
    assert {found for _, found in SAMPLES.values()} == set(OtherFormat)


@pytest.mark.parametrize(
    "data", [b"\x00", bytes(2000), b" \r\n", b"\x80\x81" * 600, b"\x01\x02binary", PNG[1:]]
)
def test_what_is_unknown_is_not_named(data: bytes) -> None:
    """Control characters, and bytes that are text in no encoding."""
    assert other_format(data) is None
    with pytest.raises(UnsupportedImageType) as caught:
        ImageFile(data, 1_000_000)
    assert caught.value.found is None


@pytest.mark.filterwarnings("ignore")  # a decoder ignores them, too
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_truncated_image_is_no_other_format(kind: str) -> None:
    """It is unreadable, as before."""
    with pytest.raises(UnreadableImage):
        ImageFile(to_bytes(PAGE, kind)[:20], 1_000_000)


@given(st.binary(max_size=2000) | st.text(max_size=1000).map(str.encode))
def test_any_bytes_are_looked_at(data: bytes) -> None:
    """Without an error."""
    assert other_format(data) in {None, *OtherFormat}


@pytest.mark.parametrize("start", [b"<", b"<a", b"{ ", b"PK\x03\x04", b"data:", b"A", b"https://"])
def test_the_cost_does_not_grow_with_the_file(start: bytes) -> None:
    """What is in the middle of a file is not looked at."""
    looked_at: list[slice] = []

    class Watched(bytes):
        def __getitem__(self, key: object) -> bytes:  # type: ignore[override]
            assert isinstance(key, slice)
            looked_at.append(key)
            return bytes(self)[key]

    other_format(Watched(start + b"a" * 1_000_000))
    assert all(
        (key.stop is not None and key.stop <= 1024) or (key.start is not None and key.start < 0)
        for key in looked_at
    )


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["heic of an iPhone", "docx", "svg"])
async def test_the_decoder_s_finding_reaches_the_parent(name: str) -> None:
    """Through the sandboxed process."""
    data, expected = SAMPLES[name]
    async with running() as decoders:
        with pytest.raises(UnsupportedImageType) as caught:
            await decode(decoders, data)
    assert caught.value.found == expected
