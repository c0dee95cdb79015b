"""What programs that read PDFs find in one: pdftotext of Poppler, and PDFium, Chromium's."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pypdfium2

from model.reader import Page


def pdftotext(file: Path, *options: str) -> list[str]:
    """Return the lines that pdftotext finds; it must have nothing to complain about."""
    done = subprocess.run(
        ["pdftotext", *options, file, "-"], capture_output=True, check=True, encoding="utf-8"
    )
    assert done.stderr == ""
    return lines_of(done.stdout)


def pdfium(data: bytes) -> list[str]:
    """Return the lines that PDFium finds."""
    with opened(data) as document:
        texts = [document[index].get_textpage().get_text_range() for index in range(len(document))]
    return lines_of("\n".join(texts))


@contextmanager
def opened(data: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """Open a document with PDFium."""
    document = pypdfium2.PdfDocument(data)
    try:
        yield document
    finally:
        document.close()


def text_in(shown: pypdfium2.PdfPage, box: Sequence[tuple[float, float]], page: Page) -> str:
    """Return the text that PDFium finds in the inner part of a box, given in px of the page.

    It is looked for where the page's image is.
    """
    [image] = shown.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
    matrix = image.get_matrix()
    points = [matrix.on_point(x / page.width, 1 - y / page.height) for x, y in box]
    (left, right), (bottom, top) = ((min(side), max(side)) for side in zip(*points, strict=True))
    margin = 0.15 * min(right - left, top - bottom)
    found: str = shown.get_textpage().get_text_bounded(
        left + margin, bottom + margin, right - margin, top - margin
    )
    return found


def lines_of(text: str) -> list[str]:
    """Return the lines of a text that are not empty, without the feeds between pages."""
    return [line for line in text.replace("\f", "").splitlines() if line]


def texts_of(page: Page) -> list[str]:
    """Return the texts of a page's lines, as the service has them."""
    return [line.text for line in page.lines if line.text is not None]


def words_in(lines: list[str]) -> list[str]:
    """Return the words of lines."""
    return " ".join(lines).split()
