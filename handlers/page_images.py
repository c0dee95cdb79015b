"""What the images of pages in responses may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageImages:
    """The quality of JPEGs, from 1 to 100, and the pixels an inch of pages in PDFs.

    A client may request other ones, up to `max_dpi`. An image never has more pixels than its page.
    """

    jpeg_quality: int
    dpi: int
    max_dpi: int
