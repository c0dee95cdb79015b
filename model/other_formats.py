"""The formats that uploads have though they are not supported, so that the error can name them.

Only the first bytes are looked at, and of a ZIP file its list of names at the end. Sources: ISO/IEC
14496-12 (HEIC), ECMA-376 part 2 (Office), and file(1)'s list of signatures.
"""

import codecs
import re
from enum import StrEnum

# Loaded here: the decoder cannot open the codecs' files once it is sandboxed.
for _encoding in ("utf-16", "gb18030"):
    codecs.lookup(_encoding)

_HEAD_BYTES = 1024
_ZIP_NAMES_BYTES = 65_536
_BRANDS_BYTES = 64


class OtherFormat(StrEnum):
    """A format that is not supported."""

    HEIC = "heic"
    JPEG_XL = "jpeg_xl"
    JPEG_2000 = "jpeg_2000"
    PSD = "psd"
    ICO = "ico"
    PNM = "pnm"
    DJVU = "djvu"
    SVG = "svg"
    POSTSCRIPT = "postscript"
    VIDEO = "video"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    OFFICE_97 = "office_97"
    OPENDOCUMENT = "opendocument"
    EPUB = "epub"
    RTF = "rtf"
    ZIP = "zip"
    ARCHIVE = "archive"
    HTML = "html"
    JSON = "json"
    BASE64 = "base64"
    URL = "url"
    TEXT = "text"


_SIGNATURES: tuple[tuple[int, bytes, OtherFormat], ...] = (
    (0, b"\xff\x0a", OtherFormat.JPEG_XL),
    (0, b"\0\0\0\x0cJXL ", OtherFormat.JPEG_XL),
    (0, b"\0\0\0\x0cjP  ", OtherFormat.JPEG_2000),
    (0, b"\xff\x4f\xff\x51", OtherFormat.JPEG_2000),
    (0, b"8BPS", OtherFormat.PSD),
    (0, b"\0\0\x01\0", OtherFormat.ICO),
    (0, b"AT&TFORM", OtherFormat.DJVU),
    (0, b"%!PS", OtherFormat.POSTSCRIPT),
    (0, b"\xc5\xd0\xd3\xc6", OtherFormat.POSTSCRIPT),
    (0, b"\x1aE\xdf\xa3", OtherFormat.VIDEO),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OtherFormat.OFFICE_97),
    (0, b"{\\rtf", OtherFormat.RTF),
    (0, b"\x1f\x8b", OtherFormat.ARCHIVE),  # gzip
    (0, b"BZh", OtherFormat.ARCHIVE),
    (0, b"\xfd7zXZ", OtherFormat.ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", OtherFormat.ARCHIVE),  # Zstandard
    (0, b"7z\xbc\xaf", OtherFormat.ARCHIVE),
    (0, b"Rar!\x1a\x07", OtherFormat.ARCHIVE),
    (8, b"AVI ", OtherFormat.VIDEO),
    (257, b"ustar", OtherFormat.ARCHIVE),
    *((0, b"P%d\n" % kind, OtherFormat.PNM) for kind in range(1, 8)),
)
_BRANDS: tuple[tuple[tuple[bytes, ...], OtherFormat], ...] = (
    ((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), OtherFormat.HEIC),
)
_ZIP = b"PK\x03\x04"
_FIRST_NAME = 30  # where the first file's name is in a ZIP
_MIMETYPES: tuple[tuple[bytes, OtherFormat], ...] = (
    (b"mimetypeapplication/vnd.oasis.", OtherFormat.OPENDOCUMENT),
    (b"mimetypeapplication/epub", OtherFormat.EPUB),
)
_OFFICE: tuple[tuple[bytes, OtherFormat], ...] = (
    (b"word/", OtherFormat.DOCX),
    (b"xl/", OtherFormat.XLSX),
    (b"ppt/", OtherFormat.PPTX),
)
_TEXTS: tuple[tuple[re.Pattern[str], OtherFormat], ...] = (
    (re.compile(r"<svg\b", re.IGNORECASE), OtherFormat.SVG),
    (re.compile(r"<(?:!doctype html|html|head|body)\b", re.IGNORECASE), OtherFormat.HTML),
    (re.compile(r"<.*<html\b", re.DOTALL | re.IGNORECASE), OtherFormat.HTML),
    (re.compile(r"<.*<svg\b", re.DOTALL | re.IGNORECASE), OtherFormat.SVG),
    (re.compile(r'\{\s*["}]|\[\s*[\[{"\]\d]'), OtherFormat.JSON),
    (re.compile(r"https?://\S+\s*\Z", re.IGNORECASE), OtherFormat.URL),
    (re.compile(r"(?:data:[\w.+/;=-]{0,200},)?[\w+/=\r\n-]{32,}\Z", re.ASCII), OtherFormat.BASE64),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def other_format(data: bytes) -> OtherFormat | None:
    """Return the format of a file that is not supported; None if it is not known either."""
    for offset, signature, found in _SIGNATURES:
        if data.startswith(signature, offset):
            return found
    if data[4:8] == b"ftyp":
        return _of_media(data)
    if data.startswith(_ZIP):
        return _of_zip(data)
    return _of_text(data[:_HEAD_BYTES])


def _of_media(data: bytes) -> OtherFormat:
    """Return the format of an ISO base media file by its brands."""
    end = min(int.from_bytes(data[:4]), _BRANDS_BYTES)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
    for names, found in _BRANDS:
        if not brands.isdisjoint(names):
            return found
    return OtherFormat.VIDEO


def _of_zip(data: bytes) -> OtherFormat:
    """Return the format of a ZIP by the names in it."""
    for start, found in _MIMETYPES:
        if data.startswith(start, _FIRST_NAME):
            return found
    names = data[:_HEAD_BYTES] + data[-_ZIP_NAMES_BYTES:]
    if b"[Content_Types].xml" in names:
        for folder, found in _OFFICE:
            if folder in names:
                return found
    return OtherFormat.ZIP


def _of_text(head: bytes) -> OtherFormat | None:
    """Return the format of text by its beginning; None if it is no text."""
    text = _decoded(head)
    if text is None or not text.strip():
        return None
    text = text.lstrip("\ufeff \t\r\n")
    for pattern, found in _TEXTS:
        if pattern.match(text):
            return found
    return OtherFormat.TEXT


def _decoded(head: bytes) -> str | None:
    """Return the text of the first bytes, which may end within a character; None if it is none."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore")
    if _CONTROL.search(head):
        return None
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):
            try:
                return head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
    return None
