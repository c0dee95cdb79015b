"""PDF bytes to RGB pixels, page by page.

The only file that lets PDFium near a caller's bytes; it runs in the decoder process. PDFium is
built without JavaScript and XFA. A document's own text layer is not looked at: it may say anything.
"""

import ctypes
import math
import mmap

import pypdfium2
from pypdfium2 import raw

from model.decoding.images import BROKEN
from model.errors import (
    EmptyDocument,
    EncryptedDocument,
    NoSuchPage,
    TooManyPixels,
    UnreadableImage,
)

_HEADER_WITHIN = 1024  # bytes; what PDFium, as other readers, takes for a header
_POINTS_PER_INCH = 72
_RGB = 3  # bytes a pixel


class PdfFile:
    """A PDF document."""

    is_document = True

    def __init__(self, data: bytes, max_pixels: int, dpi: int) -> None:
        """Open it. Raises EncryptedDocument, EmptyDocument, UnreadableImage."""
        self._max_pixels = max_pixels
        self._scale = dpi / _POINTS_PER_INCH
        handle = raw.FPDF_LoadMemDocument64(data, len(data), None)
        if not handle:
            # A lasting state of the library: it means something only right after a failure.
            encrypted = {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}
            if raw.FPDF_GetLastError() in encrypted:
                raise EncryptedDocument
            raise UnreadableImage("no document")
        self.pages = raw.FPDF_GetPageCount(handle)
        if self.pages < 1:
            raise EmptyDocument
        self._data = data  # PDFium reads on in it
        try:
            self._document = pypdfium2.PdfDocument(handle)
            self._document.init_forms()  # what was filled in is text, too
        except (pypdfium2.PdfiumError, *BROKEN) as error:
            raise UnreadableImage(type(error).__name__) from error

    def draw(self, number: int, room: int) -> tuple[int, int]:
        """Draw page `number`, from 1, into a memory file as H x W x 3 bytes; return its measures.

        A page that is over the limit at the wished resolution is drawn at a lower one, down to a
        pixel a point. Raises NoSuchPage, UnreadableImage, TooManyPixels.
        """
        if number > self.pages:
            raise NoSuchPage(self.pages)
        try:
            page = self._document[number - 1]
            scale = self._scale_for(*page.get_size())
            drawn: tuple[int, int] = (0, 0)

            def in_room(width: int, height: int, **options: object) -> pypdfium2.PdfBitmap:
                nonlocal drawn
                drawn = (width, height)
                memory = mmap.mmap(room, width * height * _RGB)
                pixels = (ctypes.c_ubyte * len(memory)).from_buffer(memory)
                return pypdfium2.PdfBitmap.new_native(width, height, **options, buffer=pixels)

            page.render(
                scale=scale,
                bitmap_maker=in_room,
                force_bitmap_format=raw.FPDFBitmap_BGR,
                rev_byteorder=True,
            )
        except (pypdfium2.PdfiumError, *BROKEN) as error:
            raise UnreadableImage(type(error).__name__) from error
        return drawn

    def _scale_for(self, width: float, height: float) -> float:
        """Return the pixels a point at which a page of so many points is drawn."""
        if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
            raise UnreadableImage("a page without measures")
        points = math.ceil(width) * math.ceil(height)
        if points > self._max_pixels:
            raise TooManyPixels(points, self._max_pixels)
        # Each side is rounded up: (width * s + 1) * (height * s + 1) is to be the limit at most.
        sides = width + height
        root = math.sqrt(sides**2 + 4 * width * height * (self._max_pixels - 1))
        fitting = (root - sides) / (2 * width * height)
        return min(self._scale, fitting)


def is_pdf(data: bytes) -> bool:
    """Tell whether a header is where a reader looks for it."""
    return b"%PDF-" in data[:_HEADER_WITHIN]
