"""What a decoder does in its life: one page of one upload, then it ends.

The zygote forks it, so that everything is loaded; it holds the upload, room for the page's pixels
and a pipe for its answer, and nothing else.
"""

import os
import time
from typing import Protocol

from model.decoding.images import ImageFile, is_image
from model.decoding.pdf import PdfFile, is_pdf
from model.errors import NoSuchPage, ReadingError, TooManyPixels
from model.sandbox import lock, policies
from model.workers import memfd
from model.workers.bootstrap import where
from model.workers.channel import Message, encode


class Document(Protocol):
    """An upload that was opened."""

    pages: int

    @property
    def is_document(self) -> bool:
        """Whether it is one of pages, be it a single one, rather than an image."""

    def draw(self, number: int, room: int) -> tuple[int, int]:
        """Write the pixels of page `number`, from 1; return width and height."""


def decode_and_exit(question: Message, upload: int, room: int, answer: int, zygote: int) -> None:
    """Lock this process, decode, answer, and end it.

    A question `{"bytes", "page", "max_pixels", "dpi", "cpu_s", "seccomp"}` is answered `{"width",
    "height", "mode", "pages", "document", "ms"}`, or `{"error"}` and what belongs to it.
    """
    try:
        lock.die_with(zygote)
        lock.limit(cpu_s=question["cpu_s"])
        if question["seccomp"]:
            lock.give_up_calls(policies.decoder())
        os.write(answer, encode(_answer(question, upload, room)))
    finally:
        os._exit(0)


def _answer(question: Message, upload: int, room: int) -> Message:
    """Return what became of the page."""
    began = time.perf_counter()
    try:
        document = open_upload(memfd.read(upload, question["bytes"]), question)
        width, height = document.draw(question["page"], room)
    except TooManyPixels as error:
        return {"error": "TooManyPixels", "number": error.pixels}
    except NoSuchPage as error:
        return {"error": "NoSuchPage", "number": error.pages}
    except ReadingError as error:
        return {"error": type(error).__name__}
    except Exception as error:  # noqa: BLE001 - whatever a file does to a library is the file's fault
        return {"error": "UnreadableImage", "cause": where(error)}
    return {
        "width": width,
        "height": height,
        "mode": "RGB",
        "pages": document.pages,
        "document": document.is_document,
        "ms": (time.perf_counter() - began) * 1000,
    }


def open_upload(data: bytes, question: Message) -> Document:
    """Return the upload's pages; its first bytes decide, and an image's before a PDF's.

    Raises UnsupportedImageType, UnreadableImage, TooManyPixels, EncryptedDocument, EmptyDocument.
    """
    if is_pdf(data) and not is_image(data):
        return PdfFile(data, question["max_pixels"], question["dpi"])
    return ImageFile(data, question["max_pixels"])
