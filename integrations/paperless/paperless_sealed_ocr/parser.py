"""The parser: paperless-ngx finds it by its entry point."""

import datetime as dt
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from paperless_sealed_ocr import __version__
from paperless_sealed_ocr.pdf_files import PDF, metadata, page_count, text_of, thumbnail
from sealed_ocr_client import Client, NotDivisible, OcrError

SCORE = 30  # paperless-ngx: Tesseract has 10, its remote parser 20
MIME_TYPES = {
    PDF: ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/tiff": ".tiff",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/avif": ".avif",
}
logger = logging.getLogger("paperless.parsing.sealed_ocr")


class SealedOcrParser:
    """Reads a document with the service; its searchable PDF is the archived version.

    The environment says where the service is: SEALED_OCR_URL, SEALED_OCR_CA, and SEALED_OCR_KEY or
    SEALED_OCR_KEY_FILE. Without SEALED_OCR_URL the parser declines every file.
    """

    name = "Sealed OCR"
    version = __version__
    author = "Sealed OCR"
    url = "integrations/paperless/README.md"

    def __init__(self, logging_group: object = None) -> None:
        self._logging_group = logging_group
        self._folder = Path(tempfile.mkdtemp(prefix="paperless-sealed-ocr-"))
        self._text: str | None = None
        self._archive: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    @classmethod
    def supported_mime_types(cls) -> dict[str, str]:
        """Return the media types, each with its extension."""
        return MIME_TYPES

    @classmethod
    def score(cls, mime_type: str, filename: str, path: Path | None = None) -> int | None:  # noqa: ARG003
        """Return how much this parser wants a file; None if no service is configured."""
        return SCORE if mime_type in MIME_TYPES and os.environ.get("SEALED_OCR_URL") else None

    @property
    def can_produce_archive(self) -> bool:
        """Return that a searchable PDF can be made of every document."""
        return True

    @property
    def requires_pdf_rendition(self) -> bool:
        """Return that a browser can show the originals."""
        return False

    def configure(self, context: Any) -> None:
        """Take nothing from the context: it is about mail."""

    def parse(self, document_path: Path, mime_type: str, *, produce_archive: bool = True) -> None:  # noqa: ARG002
        """Read a document, with one reading for the text and the PDF.

        Raises:
            documents.parsers.ParseError: it could not be read; the message says why.

        """
        with _parse_errors(), Client() as client:
            if produce_archive:
                try:
                    document = client.render(document_path, "pdf")
                except NotDivisible as error:
                    logger.warning("No archived version: %s", error)
                else:
                    self._archive = self._folder / "archive.pdf"
                    self._archive.write_bytes(document)
                    self._text = text_of(document)
                    return
            self._text = client.read(document_path).text.replace("\n\f", "\n\n")

    def get_text(self) -> str:
        """Return the text."""
        return self._text or ""

    def get_date(self) -> dt.datetime | None:
        """Return None: paperless-ngx finds the date in the text."""
        return None

    def get_archive_path(self) -> Path | None:
        """Return the searchable PDF, if there is one."""
        return self._archive

    def get_thumbnail(self, document_path: Path, mime_type: str) -> Path:
        """Return the picture of the first page."""
        target = self._folder / "thumbnail.webp"
        if self._archive is not None:
            return thumbnail(self._archive, PDF, target)
        return thumbnail(document_path, mime_type, target)

    def get_page_count(self, document_path: Path, mime_type: str) -> int | None:
        """Return how many pages a PDF has; None for images."""
        return page_count(document_path) if mime_type == PDF else None

    def extract_metadata(self, document_path: Path, mime_type: str) -> list[dict[str, str]]:
        """Return the metadata of a PDF; none of images."""
        return metadata(document_path) if mime_type == PDF else []


@contextmanager
def _parse_errors() -> Iterator[None]:
    """Raise the client's errors as those of paperless-ngx."""
    try:
        yield
    except OcrError as error:
        from documents.parsers import ParseError  # noqa: PLC0415 - only in paperless-ngx

        raise ParseError(f"Sealed OCR: {error}") from error
