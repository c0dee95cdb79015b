"""Render PDF files to RGB pixels, page by page.

No other file gives an upload to PDFium. It runs in a decoder process. PDFium is built without
JavaScript and XFA. A document's own text layer is not used: it may differ from what is visible.
"""

import ctypes
import math
import mmap

import pypdfium2
from pypdfium2 import raw

from model.decoding.images import CORRUPT
from model.errors import (
    EmptyDocument,
    EncryptedDocument,
    NoSuchPage,
    TooManyPixels,
    UnreadableImage,
)
from model.page_warnings import PageWarning
from model.sandbox import lock

_POINTS_PER_INCH = 72
# A page smaller than this on both sides is probably one in a larger unit (UserUnit, which PDFium
# ignores): it is rendered as large as A4.
_TINY_POINTS, _A4_POINTS = 150, 842
_RGB = 3  # bytes a pixel


class PdfFile:
    """A PDF document."""

    is_document = True

    def __init__(
        self,
        data: bytes,
        max_pixels: int,
        pixels: int,
        *,
        dpi: int,
        form_s: float,
        reduction: int,
    ) -> None:
        """Open the document.

        A page is rendered with up to `max_pixels`, its sides then divided by `reduction`; it is
        refused if that is more than `pixels`. The fields of the form may take `form_s` of processor
        time.

        Raises:
            EncryptedDocument: it needs a password.
            EmptyDocument: it has no pages.
            UnreadableImage: it is corrupt.

        """
        self._max_pixels = max_pixels
        self._pixels = pixels
        self.warnings: list[PageWarning] = []
        self._scale = dpi / _POINTS_PER_INCH
        self.dpi: float | None = None
        self._reduction = reduction
        handle = raw.FPDF_LoadMemDocument64(data, len(data), None)
        if not handle:
            # The library keeps the last error: it is valid only right after a failure.
            encrypted = {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}
            if raw.FPDF_GetLastError() in encrypted:
                raise EncryptedDocument
            raise UnreadableImage("PDFium can't open it")
        self.pages = raw.FPDF_GetPageCount(handle)
        if self.pages < 1:
            raise EmptyDocument
        self._data = data  # PDFium still reads from it
        try:
            self._document = pypdfium2.PdfDocument(handle)
            self._document.init_forms()  # filled-in fields are text, too
            if self._document.formenv is not None:
                # Loads the tree of fields. PDFium would do that with the first page, and follows
                # every path of a tree whose nodes are shared: 2 KB can make 16 million fields.
                with lock.user_time_limit(form_s):
                    raw.FPDF_SetFormFieldHighlightAlpha(self._document.formenv, 0)
        except (pypdfium2.PdfiumError, *CORRUPT) as error:
            raise UnreadableImage(type(error).__name__) from error

    def render(self, number: int, output: int) -> tuple[int, int]:
        """Write page `number`, from 1, to a memory file, H x W x 3 bytes; return width and height.

        A page over the limit at the configured resolution is rendered at a lower one.

        Raises:
            NoSuchPage: there are fewer pages.
            UnreadableImage: the page is corrupt.
            TooManyPixels: the page has more than the `pixels` of this attempt.

        """
        if number > self.pages:
            raise NoSuchPage(self.pages)
        try:
            page = self._document[number - 1]
            width, height = page.get_size()
            scale = self._scale_for(width, height)
            self.dpi = scale / _points(width, height) * _POINTS_PER_INCH
            pixels = math.ceil(width * scale) * math.ceil(height * scale)
            if pixels > self._pixels:
                raise TooManyPixels(pixels, self._pixels)
            size: tuple[int, int] = (0, 0)

            def bitmap_in_output(width: int, height: int, **options: object) -> pypdfium2.PdfBitmap:
                nonlocal size
                size = (width, height)
                memory = mmap.mmap(output, width * height * _RGB)
                pixels = (ctypes.c_ubyte * len(memory)).from_buffer(memory)
                return pypdfium2.PdfBitmap.new_native(width, height, **options, buffer=pixels)

            page.render(
                scale=scale,
                bitmap_maker=bitmap_in_output,
                force_bitmap_format=raw.FPDFBitmap_BGR,
                rev_byteorder=True,
            )
        except (pypdfium2.PdfiumError, *CORRUPT) as error:
            raise UnreadableImage(type(error).__name__) from error
        return size

    def _scale_for(self, width: float, height: float) -> float:
        """Return the pixels a point for a page with this width and height in points."""
        if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
            raise UnreadableImage("a page without a size")
        scale = self._scale * _points(width, height)
        # Each side is rounded up, so (width * s + 1) * (height * s + 1) must not exceed the limit.
        sides = width + height
        root = math.sqrt(sides**2 + 4 * width * height * (self._max_pixels - 1))
        fitting = (root - sides) / (2 * width * height)
        if fitting < scale or self._reduction > 1:
            self.warnings.append(PageWarning.LOWER_RESOLUTION)
        return min(scale, fitting) / self._reduction


def _points(width: float, height: float) -> float:
    """Return the points of a unit in which a page has this size: 1, or more for a tiny page."""
    longer = max(width, height)
    return _A4_POINTS / longer if longer < _TINY_POINTS else 1.0
