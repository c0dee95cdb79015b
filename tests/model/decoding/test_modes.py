"""One file of each mode, sample size and byte order that Pillow can open: black text on white."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from model.decoding.deep_grey import GreyScale, to_8_bits
from model.decoding.images import rgb_strips
from tests.model.decoding.sample_files import Order, bmp, png, tiff
from tests.model.decoding.test_images import LINE, near, rgb
from tests.model.images import to_bytes

GREY = np.asarray(LINE.convert("L"))[..., None].astype(np.uint32)
RGB = np.repeat(GREY, 3, axis=2)
OPAQUE = np.full_like(GREY, 255)
SIGNED, FLOAT = 2, 3
BILEVEL = [("group3", {}), ("group4", {}), ("tiff_ccitt", {}), ("group4", {266: 2}), ("raw", {})]
MODES = (
    "1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB",
    "I", "F", "I;16", "I;16B", "I;16L", "I;16N",
)  # fmt: skip


def _tiffs(order: Order) -> Iterator[tuple[str, bytes]]:
    """Yield every TIFF of one byte order that is one of Pillow's modes."""
    for bits in (1, 2, 4, 8):
        level = GREY >> (8 - bits)
        yield f"grey-{bits}", tiff(level.astype(np.uint8), bits, order)
        inverted = ((1 << bits) - 1 - level).astype(np.uint8)
        yield f"grey-{bits}-inverted", tiff(inverted, bits, order, photometric=0)
    yield "grey-16", tiff((GREY * 257).astype(np.uint16), 16, order)
    yield "grey-12-in-16", tiff((GREY * 16).astype(np.uint16), 16, order)
    yield "signed-16", tiff((GREY * 128).astype(np.int16), 16, order, sample_format=SIGNED)
    yield "signed-32", tiff((GREY * 257).astype(np.int32), 32, order, sample_format=SIGNED)
    yield "float-to-1", tiff((GREY / 255).astype(np.float32), 32, order, sample_format=FLOAT)
    yield "float-to-255", tiff(GREY.astype(np.float32), 32, order, sample_format=FLOAT)
    alpha = np.concatenate([GREY, OPAQUE], axis=2).astype(np.uint8)
    yield "grey-alpha", tiff(alpha, 8, order, extra=2)
    rgba = np.concatenate([RGB, OPAQUE], axis=2)
    cmyk = np.concatenate([RGB * 0, 255 - GREY], axis=2)
    for bits, factor, kind in ((8, 1, np.uint8), (16, 257, np.uint16)):
        yield f"rgb-{bits}", tiff((RGB * factor).astype(kind), bits, order, photometric=2)
        for extra, name in enumerate(("rgbx", "rgba-premultiplied", "rgba")):
            deep = (rgba * factor).astype(kind)
            yield f"{name}-{bits}", tiff(deep, bits, order, photometric=2, extra=extra)
        yield f"cmyk-{bits}", tiff((cmyk * factor).astype(kind), bits, order, photometric=5)


def _little_endian_only() -> Iterator[tuple[str, bytes]]:
    """Yield the TIFFs that Pillow can open in one byte order only."""
    yield "grey-12", tiff((GREY * 16).astype(np.uint16), 12, "<")
    inverted = ((255 - GREY) * 257).astype(np.uint16)
    yield "grey-16-inverted", tiff(inverted, 16, "<", photometric=0)
    yield "grey-32", tiff((GREY * 0x01010101).astype(np.uint32), 32, "<")
    yield "grey-16-in-32", tiff((GREY * 257).astype(np.uint32), 32, "<")


def _pngs() -> Iterator[tuple[str, bytes]]:
    """Yield a PNG of each colour type and depth, with and without a transparent colour."""
    for bits in (1, 2, 4, 8, 16):
        top = (1 << bits) - 1
        level = GREY * 257 if bits == 16 else GREY >> (8 - bits)
        kind = np.uint16 if bits == 16 else np.uint8
        grey = level.astype(kind)
        yield f"grey-{bits}", png(grey, bits, 0)
        yield f"grey-{bits}-transparent", png(grey, bits, 0, (b"tRNS", top.to_bytes(2, "big")))
        if bits < 16:
            palette = bytes(value * 255 // top for value in range(top + 1) for _ in range(3))
            yield f"palette-{bits}", png(grey, bits, 3, (b"PLTE", palette))
            clear = b"\xff" * top + b"\0"
            transparent = png(grey, bits, 3, (b"PLTE", palette), (b"tRNS", clear))
            yield f"palette-{bits}-transparent", transparent
    for bits, factor, kind in ((8, 1, np.uint8), (16, 257, np.uint16)):
        white = (255 * factor).to_bytes(2, "big") * 3
        rgba = np.concatenate([RGB, OPAQUE], axis=2)
        yield f"rgb-{bits}", png((RGB * factor).astype(kind), bits, 2)
        yield (
            f"rgb-{bits}-transparent",
            png((RGB * factor).astype(kind), bits, 2, (b"tRNS", white)),
        )
        grey_alpha = (np.concatenate([GREY, OPAQUE], axis=2) * factor).astype(kind)
        yield f"grey-alpha-{bits}", png(grey_alpha, bits, 4)
        yield f"rgba-{bits}", png((rgba * factor).astype(kind), bits, 6)


def _bmps() -> Iterator[tuple[str, bytes]]:
    """Yield a BMP of each depth."""
    for bits in (1, 4, 8):
        top = (1 << bits) - 1
        shades = [value * 255 // top for value in range(top + 1)]
        palette = bytes(byte for shade in shades for byte in (shade, shade, shade, 0))
        yield f"palette-{bits}", bmp((GREY >> (8 - bits)).astype(np.uint8), bits, palette)
    level = GREY >> 3
    yield "rgb-16", bmp((level << 10 | level << 5 | level).astype(np.uint16), 16)
    yield "rgb-24", bmp(RGB.astype(np.uint8), 8)
    yield "rgb-32", bmp(np.concatenate([RGB, OPAQUE], axis=2).astype(np.uint8), 8)


FILES = {
    **{f"tiff-little-endian-{name}": data for name, data in _tiffs("<")},
    **{f"tiff-big-endian-{name}": data for name, data in _tiffs(">")},
    **{f"tiff-little-endian-{name}": data for name, data in _little_endian_only()},
    **{f"png-{name}": data for name, data in _pngs()},
    **{f"bmp-{name}": data for name, data in _bmps()},
}


@pytest.mark.parametrize("name", FILES)
def test_every_sample_size_and_byte_order(name: str) -> None:
    """Few bits cost some greys; the text stays black on white."""
    assert near(rgb(FILES[name]), LINE, by=14)


@pytest.mark.parametrize(("method", "tags"), BILEVEL)
def test_every_compression_of_a_fax(method: str, tags: dict[int, int]) -> None:
    """Also with the bits of each byte in reverse order (FillOrder 2)."""
    data = to_bytes(
        LINE.convert("1", dither=Image.Dither.NONE), "TIFF", compression=method, tiffinfo=tags
    )
    assert near(rgb(data), LINE, by=14)


@pytest.mark.parametrize("method", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd"])
def test_every_compression_of_a_scan(method: str) -> None:
    """The usual ones."""
    assert near(rgb(to_bytes(LINE.convert("L"), "TIFF", compression=method)), LINE)


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_every_kind_of_webp(mode: str, options: dict[str, int]) -> None:
    """With alpha and without."""
    assert near(rgb(to_bytes(LINE.convert(mode), "WEBP", **options)), LINE)


def _white(mode: str) -> Image.Image:
    """Return a white image of a mode."""
    size = (4, 3)
    if mode.startswith("I;16"):
        return Image.frombytes(mode, size, b"\xff" * 24, "raw", mode)
    if mode in {"I", "F"}:
        return Image.new(mode, size, 65_535)
    if mode == "LAB":
        return Image.new(mode, size, (255, 128, 128))
    if mode == "PA":
        image = Image.new("RGB", size, "white").convert("P")
        image.putalpha(255)
        return image
    usual = {"La": "LA", "RGBa": "RGBA"}.get(mode, "RGB")
    return Image.new("RGB", size, "white").convert(usual).convert(mode)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_can_be_converted(mode: str) -> None:
    """Whichever file it comes from, white stays white."""
    image = _white(mode)
    assert image.mode == mode
    plain = to_8_bits(image, GreyScale(white_is_zero=False, signed=False))
    assert b"".join(rgb_strips(plain)) == b"\xff" * 36
