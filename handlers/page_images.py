"""What the images of pages in responses may be."""

from dataclasses import dataclass, replace

from handlers.errors import ImagesTooLarge
from handlers.formats.format import Format
from model.reader import Page, PageImage, ReadingOptions

MAX_IMAGES_BYTES = 100_000_000
"""Images in a response that is not streamed: 50 pages of 2 MB."""


class ImageBudget:
    """How many bytes of images a response that is not streamed may still have."""

    def __init__(self) -> None:
        self._left = MAX_IMAGES_BYTES

    def consume(self, page: Page) -> None:
        """Count the image of a page.

        Raises:
            ImagesTooLarge: the images have more than MAX_IMAGES_BYTES.

        """
        self._left -= len(page.image or b"")
        if self._left < 0:
            raise ImagesTooLarge(MAX_IMAGES_BYTES)


@dataclass(frozen=True, slots=True)
class PageImages:
    """The quality of JPEGs, from 1 to 100, and the pixels an inch of pages in PDFs.

    A client may request other ones, up to `max_dpi`. An image never has more pixels than its page.
    """

    jpeg_quality: int
    dpi: int
    max_dpi: int

    def options(self, options: ReadingOptions, wanted: Format) -> ReadingOptions:
        """Return the options with the quality, and the resolution for a format."""
        dpi = options.image_dpi
        if dpi is None and wanted.image is PageImage.JPEG:
            dpi = self.dpi
        dpi = None if dpi is None else min(dpi, self.max_dpi)
        return replace(options, image_quality=self.jpeg_quality, image_dpi=dpi)
