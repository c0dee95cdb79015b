"""PDF bytes to RGB pixels, page by page.

The only file that lets PDFium near a caller's bytes; it runs in the decoder process. PDFium is
built without JavaScript and XFA. A document's own text layer is not looked at: it may say anything.
"""

import ctypes
import math
import mmap

import pypdfium2
import pypdfium2.raw

from model.errors import (
    EmptyDocument,
    EncryptedDocument,
    NoSuchPage,
    TooManyPixels,
    UnreadableImage,
)
from model.pixels import BROKEN

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
        try:
            self._document = pypdfium2.PdfDocument(data)
            self._document.init_forms()  # what was filled in is text, too
            self.pages = len(self._document)
        except pypdfium2.PdfiumError as error:
            if error.err_code in {pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY}:
                raise EncryptedDocument from error
            if error.err_code == pypdfium2.raw.FPDF_ERR_SUCCESS:
                raise EmptyDocument from error
            raise UnreadableImage("no document") from error
        except BROKEN as error:
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
                force_bitmap_format=pypdfium2.raw.FPDFBitmap_BGR,
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
        # Half a pixel less: each side is rounded up.
        fitting = math.sqrt(self._max_pixels / points) * (1 - 0.5 / math.sqrt(self._max_pixels))
        return min(self._scale, fitting)


def is_pdf(data: bytes) -> bool:
    """Tell whether a header is where a reader looks for it."""
    return b"%PDF-" in data[:_HEADER_WITHIN]
