"""How a page is read, and what of it is returned beside the text of its lines."""

from dataclasses import dataclass
from enum import StrEnum


class WordMode(StrEnum):
    """The parts of a line that get a box and a confidence of their own."""

    NONE = "none"
    WORD = "word"
    """Chinese by character, other scripts by word."""
    CHAR = "char"
    """Every character."""


class PageImage(StrEnum):
    """The image of a page that is returned with its lines."""

    JPEG = "jpeg"
    """The page's pixels."""
    ANNOTATED_PNG = "annotated-png"
    """The page's pixels with the boxes of its lines drawn over them."""
    ANNOTATED_JPEG = "annotated-jpeg"


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """The options of a reading; what is not asked for takes no time.

    `detect`: find the lines of a page, or take it as one line. `by_columns`: columns are read one
    after the other, and not row by row. `words`: which boxes each line has. `image`: the image that
    each page has. `image_quality`: of a JPEG, 1 to 100. `image_dpi`: the most pixels an inch that
    the image has; None: as many as the page.
    """

    detect: bool = True
    by_columns: bool = True
    words: WordMode = WordMode.NONE
    image: PageImage | None = None
    image_quality: int = 85
    image_dpi: int | None = None


DEFAULT_OPTIONS = ReadingOptions()
