"""What can go wrong with a reading. Imports nothing, so that anyone may import it."""


class ReadingError(Exception):
    """A reading that gave no answer; each cause is a class below."""


class UnsupportedImageType(ReadingError):
    """The content is none of the image types that are read, whatever its name says."""


class UnreadableImage(ReadingError):
    """The content begins like an image of a known type but is truncated or corrupt."""


class EncryptedDocument(ReadingError):
    """A PDF that only opens with a password."""


class EmptyDocument(ReadingError):
    """A PDF without a page."""


class NoSuchPage(ReadingError):
    """A page was asked for that the document does not have."""

    def __init__(self, pages: int) -> None:
        super().__init__(f"{pages} pages")
        self.pages = pages


class TooManyPages(ReadingError):
    """More pages are to be read than one request may ask for."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} pages allowed")
        self.limit = limit


class TooManyPixels(ReadingError):
    """Width x height, as the header tells it, is over the limit; nothing was decoded."""

    def __init__(self, pixels: int, limit: int) -> None:
        super().__init__(f"{pixels} pixels, {limit} allowed")
        self.pixels = pixels
        self.limit = limit


class Busy(ReadingError):
    """As many readings wait as may; told at once. `retry_after_s` estimates when one is done."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"the queue is full; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class ReadingTimeout(ReadingError):
    """Decoding or reading a page took longer than it may; its process was ended."""

    def __init__(self, step: str, limit_s: float) -> None:
        super().__init__(f"{step} took more than {limit_s:g} s")
        self.step = step
        self.limit_s = limit_s


class ReaderDied(ReadingError):
    """A process that reads ended, through no fault of the file; the next reading gets a new one."""


class WeightsError(ReadingError):
    """A weights file is missing or not the one that was checked; the text names the mend."""
