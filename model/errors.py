"""What can go wrong with a reading. Imports nothing, so that anyone may import it."""


class ReadingError(Exception):
    """A reading that gave no answer; each cause is a class below."""


class UnsupportedImageType(ReadingError):
    """The content is none of the image types that are read, whatever its name says."""


class UnreadableImage(ReadingError):
    """The content begins like an image of a known type but is truncated or corrupt."""


class SeveralPages(ReadingError):
    """A TIFF of more than one page: reading the first alone would lose the rest in silence."""


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


class ReaderDied(ReadingError):
    """The process that decoded or read this image died; the next reading gets a new one."""


class WeightsError(ReadingError):
    """A weights file is missing or not the one that was checked; the text names the mend."""
