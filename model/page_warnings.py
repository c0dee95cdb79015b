"""What a caller should know about a page that was read although its file has a fault."""

from enum import StrEnum


class PageWarning(StrEnum):
    """A fault of a file, or a limit that changed how its page was decoded."""

    TRUNCATED = "truncated"
    """The file lacks its end marker; all pixels are there."""
    DAMAGED = "damaged"
    """A part of the file that holds no pixels is corrupt, and was skipped."""
    LOWER_RESOLUTION = "lower_resolution"
    """The page was rendered with fewer pixels an inch than configured: it is large, or slow."""
    FONT_NOT_EMBEDDED = "font_not_embedded"
    """The page uses a font that is neither in the file nor here: text may be missing."""
