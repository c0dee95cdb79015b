"""The resolution and the quality of images of pages."""

import pytest

from handlers.formats.format import Format
from handlers.formats.registry import format_named
from handlers.page_images import PageImages
from model.reader import ReadingOptions
from tests.handlers.echo import Caller, EchoReader

LIMITS = PageImages(jpeg_quality=70, dpi=200, max_dpi=300)
PDF, JSON = format_named("pdf"), format_named("json")


@pytest.mark.parametrize(
    ("wanted", "given", "dpi"),
    [
        (PDF, None, 200),
        (PDF, 100, 100),
        (PDF, 300, 300),
        (PDF, 301, 300),
        (JSON, None, None),
        (JSON, 100, 100),
        (JSON, 1200, 300),
    ],
)
def test_the_resolution(wanted: Format, given: int | None, dpi: int | None) -> None:
    """A PDF has a default; nothing exceeds the maximum; without either the image is as the page."""
    options = LIMITS.options(ReadingOptions(image_dpi=given), wanted)
    assert (options.image_dpi, options.image_quality) == (dpi, 70)


@pytest.mark.anyio
async def test_a_request_is_read_with_them(post: Caller, reader: EchoReader) -> None:
    """The parameter reaches the reader, with the words and the image that a PDF needs."""
    await post(query=b"format=pdf&dpi=96")
    assert (reader.options.image_dpi, reader.options.image_quality) == (96, 80)
    assert (reader.options.words, reader.options.image) == (PDF.words, PDF.image)
