"""One page image, read by the service."""

import io
import logging
from pathlib import Path
from typing import Any

from ocrmypdf import OcrOptions
from ocrmypdf.exceptions import BadArgsError, ExitCode, ExitCodeException
from PIL import Image

from sealed_ocr_client import Client, OcrError, Options, UnusableOption, find_key

DEFAULT_URL = "https://localhost:8443"
LARGE_BYTES = 4_000_000  # the service as shipped takes 5,000,000
JPEG_QUALITY = 95

# Its line for each request would stand in OCRmyPDF's output.
logging.getLogger("httpx2").setLevel(logging.WARNING)


class NotRead(ExitCodeException):
    """A page could not be read."""

    exit_code = ExitCode.child_process_error


def read_page(image: Path, options: OcrOptions) -> dict[str, Any]:
    """Return a page's lines with their words, as in a response of the service.

    It opens a connection of its own: OCRmyPDF calls this in worker processes.

    Raises:
        NotRead: it could not be read; the message says why.

    """
    try:
        with client_of(options) as client:
            return client.read(_upload(image), Options(words="word")).pages[0]
    except OcrError as error:
        raise NotRead(f"Sealed OCR: {error}") from None


def client_of(options: OcrOptions) -> Client:
    """Return a client with the options --sealed-ocr-...; the environment has the rest.

    Raises:
        BadArgsError: an option cannot be used, or there is no key.

    """
    given = options.extra_attrs
    url = given.get("sealed_ocr_url") or None
    try:
        key = find_key(url or DEFAULT_URL, given.get("sealed_ocr_key_file"))
        if key is None:
            raise BadArgsError(
                "Sealed OCR: there is no API key. Put it into SEALED_OCR_KEY, or into a file "
                "(chmod 600) that --sealed-ocr-key-file names."
            )
        return Client(url, key=key, ca=given.get("sealed_ocr_ca"))
    except UnusableOption as error:
        raise BadArgsError(f"Sealed OCR: {error}") from None


def _upload(image: Path) -> bytes:
    """Return the image's bytes; a large one as JPEG, as OCRmyPDF's own PNG of a photo is."""
    content = image.read_bytes()
    if len(content) <= LARGE_BYTES:
        return content
    stream = io.BytesIO()
    with Image.open(image) as page:
        page.convert("RGB").save(stream, "JPEG", quality=JPEG_QUALITY, dpi=page.info.get("dpi"))
    return stream.getvalue()
