"""Image bytes to upright RGB pixels, page by page, whatever type and mode the file has.

The only file that lets Pillow near a caller's bytes; it runs in the decoder process.
"""

import contextlib
import io
import math
import os
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, ImageOps, UnidentifiedImageError

from model.errors import NoSuchPage, TooManyPixels, UnreadableImage, UnsupportedImageType

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_PAGED = ("TIFF", "GIF", "WEBP")  # a camera's JPEG may carry a second, small image: no page
_MOST_PAGES = 5000  # of a TIFF; those beyond are not reached
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# What Pillow's readers let out on broken files: they trust offsets, counts and enums they read.
BROKEN = (
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
_STRIP_ROWS = 64  # rows converted at a time: they stay in the processor's cache
_DEEP_GREYS = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_WHITES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)


class ImageFile:
    """An image file. A TIFF, GIF or WebP has a page for each of its frames, others have one."""

    def __init__(self, data: bytes, max_pixels: int) -> None:
        """Read the header. Raises UnsupportedImageType, UnreadableImage, TooManyPixels."""
        if not data:
            raise UnreadableImage("no bytes")
        # The limit is ours to tell, with both numbers; Pillow's own would warn, then raise.
        Image.MAX_IMAGE_PIXELS = None
        self._max_pixels = max_pixels
        try:
            self._check_size(_webp_size(data))  # Pillow makes room for it when it opens the file
            self._image = Image.open(io.BytesIO(data), formats=_FORMATS)
            self._check_size(self._image.size)
            self.pages = _count_pages(self._image)
        except UnidentifiedImageError as error:
            if is_image(data):
                raise UnreadableImage("the header is broken") from error
            raise UnsupportedImageType("none of " + ", ".join(_FORMATS)) from error
        except BROKEN as error:
            raise UnreadableImage(type(error).__name__) from error

    @property
    def is_document(self) -> bool:
        """Whether it has several pages."""
        return self.pages > 1

    def upright(self, number: int) -> Image.Image:
        """Return page `number`, counted from 1, turned as its EXIF says, in its own mode.

        Raises NoSuchPage, UnreadableImage, TooManyPixels.
        """
        if number > self.pages:
            raise NoSuchPage(self.pages)
        try:
            if self.is_document:
                self._image.seek(number - 1)
                self._check_size(self._image.size)
            self._image.load()
        except BROKEN as error:
            raise UnreadableImage(type(error).__name__) from error
        try:
            return ImageOps.exif_transpose(self._image)
        except BROKEN:  # the picture is sound, what is said about it is not
            return self._image

    def draw(self, number: int, room: int) -> tuple[int, int]:
        """Write page `number` into a memory file as H x W x 3 bytes; return width and height.

        Raises NoSuchPage, UnreadableImage, TooManyPixels.
        """
        image = self.upright(number)
        position = 0
        for strip in rgb_strips(image):
            position += os.pwrite(room, strip, position)
        return image.size

    def _check_size(self, size: tuple[int, int]) -> None:
        """Raise TooManyPixels by the header, before anything is decoded."""
        width, height = size
        if width * height > self._max_pixels:
            raise TooManyPixels(width * height, self._max_pixels)


def _count_pages(image: Image.Image) -> int:
    """Return how many frames of a file are pages."""
    if image.format not in _PAGED:
        return 1
    if image.format != "TIFF":
        return int(getattr(image, "n_frames", 1))
    # Pillow compares each directory with every one before it: thousands would take minutes.
    count = 1
    with contextlib.suppress(EOFError):
        while count < _MOST_PAGES:
            image.seek(count)
            count += 1
    image.seek(0)
    return count


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return the measures of a WebP's canvas, (0, 0) of anything else. Source: RFC 9649."""
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
    """Yield the image top to bottom as RGB bytes, H x W x 3 in all, transparency over white.

    Raises UnreadableImage where the mode cannot be made RGB.
    """
    try:
        image = _scale_deep_grey(image)
        for top in range(0, image.height, _STRIP_ROWS):
            bottom = min(top + _STRIP_ROWS, image.height)
            yield _to_rgb(image.crop((0, top, image.width, bottom))).tobytes()
    except BROKEN as error:
        raise UnreadableImage(type(error).__name__) from error


def _scale_deep_grey(image: Image.Image) -> Image.Image:
    """Return greys of more than 8 bits as mode L; Pillow alone clips them all to white.

    The file does not say where its white is (12-bit scans come in 16-bit files): the least usual
    bit depth that holds the brightest pixel is taken.
    """
    if image.mode not in _DEEP_GREYS:
        return image
    brightest = image.getextrema()[1]
    if not isinstance(brightest, int | float) or not math.isfinite(brightest):
        raise UnreadableImage("no finite brightness")
    whites = [white for white in _WHITES if white >= brightest and (white > 1 or image.mode == "F")]
    scale = 255 / (whites[0] if whites else brightest)
    return image.convert("F").point(lambda value: value * scale + 0.0).convert("L")


def _to_rgb(strip: Image.Image) -> Image.Image:
    """Return the strip in mode RGB."""
    if strip.mode == "RGB" and "transparency" not in strip.info:
        return strip
    if strip.mode == "LAB":  # Pillow converts it only with a colour profile; text is in lightness
        return strip.getchannel("L").convert("RGB")
    if not strip.has_transparency_data:
        return strip.convert("RGB")
    strip = strip.convert("RGBA")
    paper = Image.new("RGBA", strip.size, "white")
    return Image.alpha_composite(paper, strip).convert("RGB")


def is_image(data: bytes) -> bool:
    """Tell whether the first bytes are those of an image type that is read."""
    return data.startswith(_MAGIC) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
