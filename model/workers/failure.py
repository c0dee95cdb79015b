"""The failures that a decoder or an engine reports in place of a result: one enum for both ends."""

from collections.abc import Mapping
from enum import StrEnum

from model.errors import (
    EmptyDocument,
    EncryptedDocument,
    NoSuchPage,
    ReadingError,
    TooManyPixels,
    UnreadableImage,
    UnsupportedImageType,
    WeightsError,
)
from model.other_formats import OtherFormat
from model.workers.channel import Message


class Failure(StrEnum):
    """The reason why there is no result: the value of "error" in a message."""

    UNSUPPORTED_IMAGE_TYPE = "unsupported_image_type"  # perhaps with the OtherFormat "found"
    UNREADABLE_IMAGE = "unreadable_image"
    ENCRYPTED_DOCUMENT = "encrypted_document"
    EMPTY_DOCUMENT = "empty_document"
    NO_SUCH_PAGE = "no_such_page"  # with the "number" of pages
    TOO_MANY_PIXELS = "too_many_pixels"  # with their "number"
    WEIGHTS = "weights"  # with the "detail"; only an engine reports it


_WITHOUT_DETAILS: Mapping[Failure, type[ReadingError]] = {
    Failure.UNREADABLE_IMAGE: UnreadableImage,
    Failure.ENCRYPTED_DOCUMENT: EncryptedDocument,
    Failure.EMPTY_DOCUMENT: EmptyDocument,
}


def failure_message(error: ReadingError) -> Message:
    """Return the message that reports an error to the parent.

    Raises:
        ValueError: a child process can't report this error.

    """
    match error:
        case UnsupportedImageType():
            return {"error": Failure.UNSUPPORTED_IMAGE_TYPE, "found": error.found}
        case TooManyPixels():
            return {"error": Failure.TOO_MANY_PIXELS, "number": error.pixels}
        case NoSuchPage():
            return {"error": Failure.NO_SUCH_PAGE, "number": error.pages}
        case WeightsError():
            return {"error": Failure.WEIGHTS, "detail": str(error)}
    for failure, kind in _WITHOUT_DETAILS.items():
        if isinstance(error, kind):
            return {"error": failure}
    raise ValueError(f"no failure stands for {type(error).__name__}")


def decoding_error(message: Message, *, max_pixels: int) -> ReadingError:
    """Return the error that a decoder reports.

    Raises:
        ValueError: it isn't one that a decoder reports.

    """
    failure, number = Failure(message["error"]), message.get("number")
    if failure is Failure.UNSUPPORTED_IMAGE_TYPE:
        found = message.get("found")
        return UnsupportedImageType(None if found is None else OtherFormat(found))
    if failure is Failure.TOO_MANY_PIXELS and isinstance(number, int):
        return TooManyPixels(number, max_pixels)
    if failure is Failure.NO_SUCH_PAGE and isinstance(number, int):
        return NoSuchPage(number)
    if failure in _WITHOUT_DETAILS:
        return _WITHOUT_DETAILS[failure]()
    raise ValueError(f"{failure} is no decoder's failure")
