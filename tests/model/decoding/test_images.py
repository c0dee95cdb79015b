"""Image files of every type and mode, and corrupt ones, to RGB."""

import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from model.decoding.images import ImageFile, _webp_size, rgb_strips
from model.errors import (
    NoSuchPage,
    ReadingError,
    TooManyPixels,
    UnreadableImage,
    UnsupportedImageType,
)
from tests.model.images import render_line, to_bytes

LINE = render_line("Modes 0123")


def rgb(data: bytes, max_pixels: int = 1_000_000, page: int = 1) -> npt.NDArray[np.uint8]:
    """Return the pixels, H x W x 3."""
    image = ImageFile(data, max_pixels).upright(page)
    flat = np.frombuffer(b"".join(rgb_strips(image)), np.uint8)
    return flat.reshape(image.height, image.width, 3)


def near(pixels: npt.NDArray[np.uint8], expected: Image.Image, by: float = 6) -> bool:
    """Return whether the pixels are the expected ones, compression aside."""
    wanted = np.asarray(expected.convert("RGB")).astype(int)
    return pixels.shape == wanted.shape and float(np.abs(pixels - wanted).mean()) < by


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_every_type(kind: str) -> None:
    """The seven types give the same pixels."""
    assert near(rgb(to_bytes(LINE, kind)), LINE)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *[(mode, "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
        *[(mode, "TIFF") for mode in ("I", "F", "CMYK", "YCbCr", "LAB", "I;16")],
        ("CMYK", "JPEG"),
    ],
)
def test_every_mode(mode: str, kind: str) -> None:
    """Black text on white stays black on white."""
    grey = LINE.convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    elif mode in {"I", "F"}:
        image = grey.convert(mode)
    elif mode == "LAB":
        image = Image.merge("LAB", (grey, Image.new("L", grey.size), Image.new("L", grey.size)))
    else:
        image = LINE.convert(mode)
    assert near(rgb(to_bytes(image, kind)), LINE, by=12)


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_more_than_8_bits_of_grey(bits: int) -> None:
    """A 12-bit scan in a 16-bit file is neither clipped to white nor nearly black."""
    white = (1 << bits) - 1
    deep = (np.asarray(LINE.convert("L")).astype(np.uint32) * white // 255).astype(np.uint16)
    assert near(rgb(to_bytes(Image.fromarray(deep))), LINE, by=2)


def test_floats_from_zero_to_one() -> None:
    """A float image's white may be 1.0."""
    image = Image.fromarray(np.asarray(LINE.convert("L")).astype(np.float32) / 255)
    assert near(rgb(to_bytes(image, "TIFF")), LINE, by=2)


def test_a_black_image_of_16_bits() -> None:
    """Nothing is divided by its brightest pixel, zero."""
    assert not rgb(to_bytes(Image.new("I;16", (9, 9)))).any()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_white(mode: str) -> None:
    """Whatever their colour is."""
    image = Image.new("RGBA", (40, 20), (200, 0, 0, 0))
    image.paste((0, 0, 0, 255), (10, 5, 30, 15))
    pixels = rgb(to_bytes(image.convert(mode)))
    assert (pixels[0, 0] > 250).all()
    assert (pixels[10, 20] < 5).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation(kind: str, orientation: int) -> None:
    """With each of the eight values the image is upright."""
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = LINE.transpose(back[orientation]) if orientation in back else LINE
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert near(rgb(to_bytes(stored, kind, exif=exif)), LINE)


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP"])
def test_every_frame_is_a_page(kind: str) -> None:
    """Frames are counted and can be decoded in any order, but not beyond the last."""
    frames = [LINE, Image.new("RGB", LINE.size, "white"), LINE.rotate(180)]
    data = to_bytes(frames[0], kind, save_all=True, append_images=frames[1:])
    assert ImageFile(data, 1_000_000).pages == 3
    for page in (3, 1, 2):
        assert near(rgb(data, page=page), frames[page - 1])
    with pytest.raises(NoSuchPage) as refusal:
        rgb(data, page=4)
    assert refusal.value.pages == 3


def test_the_limit_holds_for_each_page() -> None:
    """A large second page is refused, even if the first one is small."""
    small, large = Image.new("RGB", (20, 10), "white"), Image.new("RGB", (200, 100), "white")
    data = to_bytes(small, "TIFF", save_all=True, append_images=[large])
    assert rgb(data, page=2).shape == (100, 200, 3)
    assert rgb(data, max_pixels=19_999).shape == (10, 20, 3)
    with pytest.raises(TooManyPixels) as refusal:
        rgb(data, max_pixels=19_999, page=2)
    assert refusal.value.pixels == 20_000


@pytest.mark.parametrize("kind", ["PNG", "MPO"])
def test_other_files_have_one_page(kind: str) -> None:
    """An animated PNG has its first frame, a camera's JPEG its first image."""
    other = Image.new("RGB", LINE.size, "red")
    data = to_bytes(LINE, kind, save_all=True, append_images=[other])
    file = ImageFile(data, 1_000_000)
    assert (file.pages, file.is_document) == (1, False)
    assert near(rgb(data), LINE)


def test_a_single_pixel() -> None:
    """The smallest image can be decoded."""
    assert rgb(to_bytes(Image.new("RGB", (1, 1), "white"))).shape == (1, 1, 3)


def test_the_limit_counts_width_times_height() -> None:
    """An image at the limit is decoded; with one pixel more, the error has both numbers."""
    data = to_bytes(Image.new("L", (100, 10)))
    assert rgb(data, max_pixels=1000).shape == (10, 100, 3)
    with pytest.raises(TooManyPixels) as refusal:
        rgb(data, max_pixels=999)
    assert (refusal.value.pixels, refusal.value.limit) == (1000, 999)


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    """A PNG header of 900 megapixels is enough, without any pixels."""
    data = bytearray(to_bytes(Image.new("L", (1, 1))))
    data[16:24] = struct.pack(">II", 30_000, 30_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    with pytest.raises(TooManyPixels):
        rgb(bytes(data), max_pixels=50_000_000)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_half_a_file_is_unreadable(kind: str) -> None:
    """A truncated upload is refused."""
    data = to_bytes(render_line("truncated at half its length", 64), kind)
    with pytest.raises(UnreadableImage):
        rgb(data[: len(data) // 2])


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0"])
def test_a_signature_alone_is_unreadable(data: bytes) -> None:
    """The first bytes of a type and nothing else, or an empty file."""
    with pytest.raises(UnreadableImage):
        rgb(data)


@pytest.mark.parametrize("kind", ["PPM", "ICO", "TGA", "PCX", "PDF", "EPS", "ICNS"])
def test_other_types_are_unsupported(kind: str) -> None:
    """Types that only Pillow supports are refused."""
    with pytest.raises(UnsupportedImageType):
        rgb(to_bytes(Image.new("RGB", (64, 64)), kind))


def test_text_is_unsupported() -> None:
    """A text file is refused."""
    with pytest.raises(UnsupportedImageType):
        rgb(b"just some words")


@pytest.mark.filterwarnings("ignore")  # a decoder ignores them, too
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"]), st.data())
def test_damaged_files_are_refused_or_decoded(kind: str, data: st.DataObject) -> None:
    """With bytes changed anywhere, the result is pixels or one of our errors."""
    damaged = bytearray(to_bytes(LINE, kind))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    try:
        pixels = rgb(bytes(damaged))
    except ReadingError:
        return
    assert pixels.ndim == 3


def test_the_size_of_a_webp_is_read_before_pillow_allocates_it() -> None:
    """For each kind of WebP: lossy, lossless, extended."""
    image = Image.new("RGB", (321, 123), "white")
    frames = {"save_all": True, "append_images": [Image.new("RGB", (321, 123), "red")]}
    for options in ({}, {"lossless": True}, frames):
        assert _webp_size(to_bytes(image, "WEBP", **options)) == (321, 123)
    for data in (b"", b"RIFF", to_bytes(image), to_bytes(image, "WEBP")[:25]):
        assert _webp_size(data) == (0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_corrupt_exif_data_is_ignored(kind: str) -> None:
    """The pixels are decoded."""
    assert near(rgb(to_bytes(LINE, kind, exif=b"Exif\0\0" + b"garbage" * 9)), LINE)


def test_the_pages_of_a_tiff_are_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each further page would take longer to count."""
    monkeypatch.setattr("model.decoding.images._MAX_PAGES", 3)
    other = [Image.new("L", (9, 9))] * 4
    assert ImageFile(to_bytes(other[0], "TIFF", save_all=True, append_images=other), 99).pages == 3
