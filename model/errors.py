"""The errors of a reading. This module imports nothing, so every package may import it."""


class ReadingError(Exception):
    """A reading failed; each subclass is one cause."""


class UploadError(ReadingError):
    """An upload cannot be read; others of the same request may be.

    `image` is its number in the request, from 1, which the caller sets.
    """

    image: int | None = None


class UnsupportedImageType(UploadError):
    """The content is none of the supported types; names and media types don't matter.

    `found` is the value of the model.other_formats.OtherFormat that it is; None if it is unknown.
    """

    def __init__(self, found: str | None = None) -> None:
        super().__init__(found)
        self.found = found


class UnreadableImage(UploadError):
    """The content starts like a supported type but is truncated or corrupt."""


class EncryptedDocument(UploadError):
    """A PDF needs a password."""


class EmptyDocument(UploadError):
    """A PDF has no pages."""


class NoSuchPage(UploadError):
    """A requested page does not exist."""

    def __init__(self, pages: int) -> None:
        super().__init__(f"{pages} pages")
        self.pages = pages


class TooManyPages(UploadError):
    """A request selects more pages than one request may have; the document has `pages`."""

    def __init__(self, pages: int, limit: int) -> None:
        super().__init__(f"{pages} pages, {limit} allowed")
        self.pages = pages
        self.limit = limit


class TooManyPixels(UploadError):
    """Width x height in the header is over the limit; nothing was decoded."""

    def __init__(self, pixels: int, limit: int) -> None:
        super().__init__(f"{pixels} pixels, {limit} allowed")
        self.pixels = pixels
        self.limit = limit


class Busy(ReadingError):
    """The queue is full. `retry_after_s` estimates when a reading ends."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"the queue is full; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class ReadingTimeout(UploadError):
    """Decoding or reading a page took longer than its limit; the process was stopped."""

    def __init__(self, step: str, limit_s: float) -> None:
        super().__init__(f"{step} took more than {limit_s:g} s")
        self.step = step
        self.limit_s = limit_s


class ReaderDied(ReadingError):
    """A process exited through no fault of the file; the next reading gets a new one."""


class WeightsError(ReadingError):
    """A weights file is missing or has another SHA-256; the text says how to install it."""


class UnknownWeights(WeightsError):
    """The manifest has no network of this name; `kind` is detector or recogniser."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind
