"""A decoder: decodes one page of one upload, then exits.

The zygote forks it with all libraries loaded. It holds the upload, an output buffer for the pixels
and a pipe for its response, and nothing else.
"""

import os
import time
from typing import Protocol

from model.decoding.images import ImageFile
from model.decoding.pdf import PdfFile
from model.decoding.pdf_fonts import fonts
from model.decoding.signatures import is_pdf
from model.errors import ReadingError
from model.page_warnings import PageWarning
from model.sandbox import lock, policies
from model.workers import memfd
from model.workers.channel import Message, encode
from model.workers.crash import crash_report
from model.workers.failure import Failure, failure_message


class Document(Protocol):
    """An opened upload."""

    pages: int
    warnings: list[PageWarning]
    dpi: float | None
    """Pixels an inch of the page that was rendered; None: its file does not say."""

    @property
    def is_document(self) -> bool:
        """Whether it has pages, even if only one, unlike an image."""

    def render(self, number: int, output: int) -> tuple[int, int]:
        """Write the pixels of page `number`, from 1; return width and height."""


def decode_and_exit(request: Message, upload: int, output: int, response: int, zygote: int) -> None:
    """Restrict this process, decode a page, respond, and exit.

    A request `{"bytes", "page", "max_pixels", "pixels", "dpi", "reduction", "cpu_s", "form_s",
    "seccomp"}` gets the response `{"width", "height", "mode", "pages", "document", "dpi",
    "warnings", "ms"}`, or `{"error"}` and its details. A page with more than `pixels` is not
    decoded.
    """
    try:
        lock.die_with_parent(zygote)
        lock.limit_processor_time(request["cpu_s"])
        if request["seccomp"]:
            lock.drop_system_calls(policies.decoder())
        os.write(response, encode(_decode(request, upload, output)))
    finally:
        os._exit(0)


def _decode(request: Message, upload: int, output: int) -> Message:
    """Write a page's pixels to the output buffer; return the response."""
    began = time.perf_counter()
    try:
        document = open_upload(memfd.read(upload, request["bytes"]), request)
        width, height = document.render(request["page"], output)
    except ReadingError as error:
        return failure_message(error)
    except Exception as error:  # noqa: BLE001 - no exception of a library says that the file is good
        return {"error": Failure.UNREADABLE_IMAGE, "crash": crash_report(error)}
    return {
        "width": width,
        "height": height,
        "mode": "RGB",
        "pages": document.pages,
        "document": document.is_document,
        "dpi": document.dpi,
        "warnings": document.warnings + [PageWarning.FONT_NOT_EMBEDDED] * fonts.missing,
        "ms": (time.perf_counter() - began) * 1000,
    }


def open_upload(data: bytes, request: Message) -> Document:
    """Return the opened upload. Its first bytes decide the type; an image's come before a PDF's.

    Raises:
        UnsupportedImageType: it is neither an image of a supported type nor a PDF.
        UnreadableImage: it is corrupt.
        TooManyPixels: the image is over the limit.
        EncryptedDocument: the PDF needs a password.
        EmptyDocument: the PDF has no pages.

    """
    if is_pdf(data):
        options = {name: request[name] for name in ("dpi", "form_s", "reduction")}
        return PdfFile(data, request["max_pixels"], request["pixels"], **options)
    return ImageFile(data, request["pixels"])
