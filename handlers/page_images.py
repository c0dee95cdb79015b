"""What the images of pages in responses may be."""

from dataclasses import dataclass, replace

from handlers.formats.format import Format
from model.reader import PageImage, ReadingOptions


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
