"""Files that lack nothing of their pixels are read, with a warning."""

import struct
import zlib

import pytest
from PIL import Image, ImageChops

from model.decoding.images import ImageFile
from model.errors import UnreadableImage
from model.page_warnings import PageWarning
from tests.model.images import render_page, to_bytes

PAGE = render_page([["Contract 4711", "Page 1"], ["Total 3.50", "Paid"]])
PNG = to_bytes(PAGE)
HEADER_END = 8 + 25


def chunk(kind: bytes, data: bytes, crc: int | None = None) -> bytes:
    """Return a PNG chunk, with the right CRC if none is given."""
    found = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", found)


def opened(data: bytes) -> tuple[Image.Image, list[PageWarning]]:
    """Return the pixels of a file, and its warnings."""
    file = ImageFile(data, 10_000_000)
    return file.upright(1).convert("RGB"), file.warnings


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_without_its_end_marker(mode: str, *, progressive: bool) -> None:
    """It has the same pixels as the whole file."""
    data = to_bytes(PAGE.convert(mode), "JPEG", progressive=progressive)
    image, warnings = opened(data[:-2])
    assert ImageChops.difference(image, opened(data)[0]).getbbox() is None
    assert warnings == [PageWarning.TRUNCATED]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("lost", [0.02, 0.5])
def test_a_jpeg_without_all_of_its_pixels(lost: float, *, progressive: bool) -> None:
    """It is refused: an end marker would make any part of a file look like a whole one."""
    data = to_bytes(Image.effect_noise((300, 200), 80), "JPEG", progressive=progressive)
    with pytest.raises(UnreadableImage):
        opened(data[: round(len(data) * (1 - lost))])


@pytest.mark.parametrize(("position", "expected"), [(HEADER_END, [PageWarning.DAMAGED]), (-12, [])])
def test_a_png_with_a_damaged_text(position: int, expected: list[PageWarning]) -> None:
    """A chunk that holds no pixels is skipped; after those that do, its CRC is not checked."""
    text = chunk(b"tEXt", b"Comment\0scanned", crc=1)
    image, warnings = opened(PNG[:position] + text + PNG[position:])
    assert image.tobytes() == PAGE.tobytes()
    assert warnings == expected


@pytest.mark.parametrize(
    ("kind", "data"), [(b"tRNS", bytes(6)), (b"eXIf", b"MM\0*\0\0\0\x08\0\0"), (b"fdAT", bytes(9))]
)
def test_a_png_with_a_damaged_chunk_that_changes_its_looks(kind: bytes, data: bytes) -> None:
    """It is refused: without the chunk it would be another page."""
    with pytest.raises(UnreadableImage):
        opened(PNG[:HEADER_END] + chunk(kind, data, crc=1) + PNG[HEADER_END:])


def test_the_warning_of_a_damaged_png() -> None:
    """A damaged chunk before the pixels is a warning; a sound one is none."""
    for crc, expected in ((1, [PageWarning.DAMAGED]), (None, [])):
        text = chunk(b"tEXt", b"Comment\0scanned", crc)
        assert opened(PNG[:HEADER_END] + text + PNG[HEADER_END:])[1] == expected


def test_a_png_with_damaged_pixels_is_refused() -> None:
    """A wrong CRC of its header, or a part of the pixels alone."""
    for data in (PNG[: HEADER_END - 4] + b"hash" + PNG[HEADER_END:], PNG[: len(PNG) // 2]):
        with pytest.raises(UnreadableImage):
            opened(data)
