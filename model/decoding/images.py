"""Decode image files of every supported type and mode to upright RGB pixels, page by page.

No other file gives an upload to Pillow. It runs in a decoder process.
"""

import contextlib
import io
import os
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from model.decoding.deep_grey import grey_scale, to_8_bits
from model.decoding.repairs import with_end_marker, without_damaged_chunks
from model.decoding.signatures import is_image
from model.decoding.transparency import on_paper, paper_for, with_alpha
from model.errors import NoSuchPage, TooManyPixels, UnreadableImage, UnsupportedImageType
from model.other_formats import other_format
from model.page_warnings import PageWarning

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_PAGED = ("TIFF", "GIF", "WEBP")  # a camera's JPEG may contain a preview, which is no page
_MAX_PAGES = 5000  # of a TIFF; later ones can't be read
# What Pillow's decoders raise on corrupt files: they trust the offsets and counts they read.
CORRUPT = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    EOFError,
    MemoryError,
    AssertionError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_STRIP_ROWS = 64  # rows converted at a time, so that they stay in the processor's cache


class ImageFile:
    """An image file. Each frame of a TIFF, GIF or WebP is a page; other types have one page."""

    dpi: float | None = None  # what a file says of itself is not used: model/resolution.py

    def __init__(self, data: bytes, max_pixels: int) -> None:
        """Read the header.

        Raises:
            UnsupportedImageType: the content is none of the supported types.
            UnreadableImage: the header is corrupt.
            TooManyPixels: the image is over the limit.

        """
        if not data:
            raise UnreadableImage("an empty file")
        # _check_size has the limit; Pillow's own one would only warn at first.
        Image.MAX_IMAGE_PIXELS = None
        self._max_pixels = max_pixels
        self._data = data
        self.warnings: list[PageWarning] = []
        try:
            # Before Pillow, which allocates the canvas when it opens a WebP.
            self._check_size(_webp_size(data))
            self._image = self._open()
            self._check_size(self._image.size)
            self.pages = _count_pages(self._image)
        except UnidentifiedImageError as error:
            if is_image(data):
                raise UnreadableImage("the header is corrupt") from error
            raise UnsupportedImageType(other_format(data)) from error
        except CORRUPT as error:
            raise UnreadableImage(type(error).__name__) from error

    @property
    def is_document(self) -> bool:
        """Whether it has several pages."""
        return self.pages > 1

    def upright(self, number: int) -> Image.Image:
        """Return page `number`, from 1, rotated as its EXIF orientation says.

        It has its own mode, but with 8 bits of grey at most.

        Raises:
            NoSuchPage: there are fewer pages.
            UnreadableImage: the page is corrupt.
            TooManyPixels: the page is over the limit.

        """
        if number > self.pages:
            raise NoSuchPage(self.pages)
        try:
            if self.is_document:
                self._image.seek(number - 1)
                self._check_size(self._image.size)
            self._load()
        except CORRUPT as error:
            raise UnreadableImage(type(error).__name__) from error
        try:
            image = ImageOps.exif_transpose(self._image)
        except CORRUPT:  # the metadata is corrupt, the pixels are not
            image = self._image
        try:
            return to_8_bits(image, grey_scale(self._image))
        except CORRUPT as error:
            raise UnreadableImage(type(error).__name__) from error

    def render(self, number: int, output: int) -> tuple[int, int]:
        """Write page `number`, from 1, to a memory file, H x W x 3 bytes; return width and height.

        Raises:
            NoSuchPage: there are fewer pages.
            UnreadableImage: the page is corrupt.
            TooManyPixels: the page is over the limit.

        """
        image = self.upright(number)
        position = 0
        for strip in rgb_strips(image):
            position += os.pwrite(output, strip, position)
        return image.size

    def _open(self) -> Image.Image:
        """Read the header, without damaged chunks if it can't be read with them."""
        try:
            return _opened(self._data)
        except CORRUPT:
            repaired = without_damaged_chunks(self._data)
            if repaired is None:
                raise
        image = _opened(repaired)
        self.warnings.append(PageWarning.DAMAGED)
        return image

    def _load(self) -> None:
        """Decode the current page, which may lack its end marker."""
        try:
            self._image.load()
        except CORRUPT:
            files = with_end_marker(self._data)
            if files is None:
                raise
            self._image, other = map(_opened, files)
            if ImageChops.difference(self._image, other).getbbox(alpha_only=False):
                raise
            self.warnings.append(PageWarning.TRUNCATED)

    def _check_size(self, size: tuple[int, int]) -> None:
        """Check a size from the header, before anything is decoded.

        Raises:
            TooManyPixels: it is over the limit.

        """
        width, height = size
        if width * height > self._max_pixels:
            raise TooManyPixels(width * height, self._max_pixels)


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=_FORMATS)


def _count_pages(image: Image.Image) -> int:
    """Return the number of pages."""
    if image.format not in _PAGED:
        return 1
    if image.format != "TIFF":
        return int(getattr(image, "n_frames", 1))
    # n_frames compares each directory with all before it: for thousands it takes minutes.
    count = 1
    with contextlib.suppress(EOFError):
        while count < _MAX_PAGES:
            image.seek(count)
            count += 1
    image.seek(0)
    return count


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return the width and height of a WebP's canvas, (0, 0) for other types. Source: RFC 9649."""
    kind, fields = data[12:16], data[20:30]
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(fields) < 10:  # noqa: PLR2004
        return 0, 0
    if kind == b"VP8X":
        width, height = (int.from_bytes(fields[at : at + 3], "little") for at in (4, 7))
        return width + 1, height + 1
    if kind == b"VP8L":
        bits = int.from_bytes(fields[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = (int.from_bytes(fields[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        return width, height
    return 0, 0


def rgb_strips(image: Image.Image) -> Iterator[bytes]:
    """Yield the image top to bottom as RGB bytes, H x W x 3 in all; `paper_for` is behind it.

    Raises:
        UnreadableImage: the mode can't be converted to RGB.

    """
    try:
        paper = paper_for(image)
        for top in range(0, image.height, _STRIP_ROWS):
            bottom = min(top + _STRIP_ROWS, image.height)
            yield _to_rgb(image.crop((0, top, image.width, bottom)), paper).tobytes()
    except CORRUPT as error:
        raise UnreadableImage(type(error).__name__) from error


def _to_rgb(strip: Image.Image, paper: tuple[int, int, int]) -> Image.Image:
    """Return the strip in mode RGB, on a paper of this colour."""
    if strip.mode == "RGB" and "transparency" not in strip.info:
        return strip
    if strip.mode == "LAB":  # Pillow needs a colour profile to convert it; lightness is enough
        return strip.getchannel("L").convert("RGB")
    if not strip.has_transparency_data:
        return strip.convert("RGB")
    return on_paper(with_alpha(strip), paper)
