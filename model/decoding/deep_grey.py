"""Grey images with more than 8 bits a pixel to 8 bits; Pillow alone would clip them to white."""

import math
from dataclasses import dataclass

from PIL import Image

from model.errors import UnreadableImage

_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_WHITE_LEVELS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_SIGNED_WHITE = 32767.0  # of signed 16-bit samples
_PHOTOMETRIC, _SAMPLE_FORMAT = 262, 339  # TIFF tags
_WHITE_IS_ZERO, _SIGNED = 0, 2  # their values


@dataclass(frozen=True, slots=True)
class GreyScale:
    """How a file's grey samples are to be read, where its mode does not say it."""

    white_is_zero: bool
    signed: bool


def grey_scale(image: Image.Image) -> GreyScale:
    """Return the scale of an opened file; only a TIFF has another than the usual one."""
    tags = getattr(image, "tag_v2", {})
    formats = tags.get(_SAMPLE_FORMAT, (1,))
    return GreyScale(tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO, formats[0] == _SIGNED)


def to_8_bits(image: Image.Image, scale: GreyScale) -> Image.Image:
    """Return an image with more than 8 bits of grey as mode L, any other as it is.

    The file does not contain its white level (12-bit scans are stored in 16 bits), so the smallest
    common bit depth that contains the brightest pixel is used.

    Raises:
        UnreadableImage: no pixel has a finite brightness.

    """
    if image.mode not in _MODES:
        return image
    if image.mode.startswith("I;16"):  # Pillow knows the extremes of few of these modes
        image = image.convert("I")
    darkest, brightest = _extremes(image)
    if image.mode == "I" and darkest < 0 and not scale.signed:
        # Unsigned 32-bit samples, of which Pillow has no mode: their highest bytes are enough.
        grey = Image.frombytes("L", image.size, image.tobytes()[3::4])
    else:
        factor = 255 / _white(brightest, floating=image.mode == "F", signed=scale.signed)
        grey = image.convert("F").point(lambda value: value * factor + 0.0).convert("L")
    return grey.point(lambda value: 255 - value) if scale.white_is_zero else grey


def _extremes(image: Image.Image) -> tuple[float, float]:
    """Return the brightness of the darkest and of the brightest pixel."""
    darkest, brightest = image.getextrema()
    for value in (darkest, brightest):
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise UnreadableImage("no finite brightness")
    return float(darkest), float(brightest)  # type: ignore[arg-type]


def _white(brightest: float, *, floating: bool, signed: bool) -> float:
    """Return the white level of an image whose brightest pixel is this one."""
    levels = [*_WHITE_LEVELS, _SIGNED_WHITE] if signed else [*_WHITE_LEVELS]
    fitting = [white for white in levels if white >= brightest and (white > 1 or floating)]
    return min(fitting, default=brightest)
