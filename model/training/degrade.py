"""Degrade the image of a line like printing, paper, cameras and scanners do.

Each degradation takes and returns an image, float32 H x W x 3, 0 to 255. Some are only used for the
held-out sets and never in training; the degradations of training are in `print_effects`.
"""

import random
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from model.training.render import FloatImage

Degradation = Callable[[random.Random, FloatImage], FloatImage]


def _noise_of(rng: random.Random) -> np.random.Generator:
    return np.random.default_rng(rng.getrandbits(64))


def tilt(rng: random.Random, image: FloatImage) -> FloatImage:
    """Rotate a little, like a box that does not follow its line."""
    height, width = image.shape[:2]
    limit = min(2.5, 25 * height / width)
    rotation = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-limit, limit), 1)
    return _warped(image, rotation)


def slant(rng: random.Random, image: FloatImage) -> FloatImage:
    """Shear, like a page seen from the side."""
    height = image.shape[0]
    shear = rng.uniform(-0.25, 0.25)
    return _warped(image, np.array([[1.0, shear, -shear * height / 2], [0.0, 1.0, 0.0]]))


def curve(rng: random.Random, image: FloatImage) -> FloatImage:
    """Bend the line up or down, like paper that is not flat."""
    height, width = image.shape[:2]
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    offset = (
        height
        * rng.uniform(0.02, 0.08)
        * np.sin(columns / width * np.pi * rng.uniform(0.6, 2.2) + rng.uniform(0, 6.3))
    )
    rows_from = (rows + offset).astype(np.float32)
    return cv2.remap(  # type: ignore[return-value]
        image, columns, rows_from, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def stretch(rng: random.Random, image: FloatImage) -> FloatImage:
    """Make the line wider or narrower."""
    height, width = image.shape[:2]
    return _resized(image, max(8, round(width * rng.uniform(0.72, 1.35))), height)


def coarse(rng: random.Random, image: FloatImage) -> FloatImage:
    """Reduce the resolution and enlarge again."""
    height, width = image.shape[:2]
    rows = rng.uniform(11, 30)
    if rows >= height:
        return image
    small = _resized(image, max(4, round(width * rows / height)), round(rows))
    interpolation = rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST))
    return np.clip(cv2.resize(small, (width, height), interpolation=interpolation), 0, 255)  # type: ignore[return-value]


def blur(rng: random.Random, image: FloatImage) -> FloatImage:
    """Blur, like a camera out of focus."""
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))  # type: ignore[return-value]


def motion(rng: random.Random, image: FloatImage) -> FloatImage:
    """Blur in one direction, like a moving camera."""
    size = rng.choice((3, 5, 7))
    kernel = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, np.pi)
    offset = (size // 2) * np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([size // 2, size // 2])
    ends = [tuple(np.rint(middle + sign * offset).astype(int).tolist()) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], (1.0,))
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def weight(rng: random.Random, image: FloatImage) -> FloatImage:
    """Make strokes thicker or thinner."""
    kernel = np.ones((2, 2), np.uint8)
    return (cv2.erode if rng.random() < 0.5 else cv2.dilate)(image, kernel)  # type: ignore[return-value]


def thermal(rng: random.Random, image: FloatImage) -> FloatImage:
    """Fade like a thermal receipt: pale, grainy, with rows that the print head missed."""
    height, width = image.shape[:2]
    background = float(np.median(image))
    keep = np.full((height, width, 1), rng.uniform(0.35, 0.85), np.float32)
    if rng.random() < 0.5:
        grain = _noise_of(rng).random((height, width, 1), np.float32)
        keep *= grain > rng.uniform(0.05, 0.3)
    for _ in range(rng.randint(0, 2)):
        keep[rng.randrange(height)] *= 0.3
    return image * keep + background * (1 - keep)


def dots(rng: random.Random, image: FloatImage) -> FloatImage:
    """Break strokes into dots, like a dot matrix printer."""
    height, width = image.shape[:2]
    step = max(2.0, height / rng.uniform(14, 22))
    rows, columns = (
        np.sin(np.arange(height) * 2 * np.pi / step),
        np.sin(np.arange(width) * 2 * np.pi / step),
    )
    holes = ((rows[:, None] + columns) * 0.25 + 0.5) ** 0.6
    keep = (rng.uniform(0.4, 0.7) + 0.5 * holes).clip(0, 1)[..., None].astype(np.float32)
    background = float(np.median(image))
    return image * keep + background * (1 - keep)


def shadow(rng: random.Random, image: FloatImage) -> FloatImage:
    """Darken one side, or add the edge of a shadow."""
    height, width = image.shape[:2]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * rng.choice((-1, 1))
    along = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * rng.uniform(-0.5, 0.5)
    steep = rng.choice((0.8, 1.5, 12.0))
    light = 1 - rng.uniform(0.15, 0.55) / (
        1 + np.exp(-steep * (across + along - rng.uniform(-0.7, 0.7)))
    )
    return (image * light[..., None]).astype(np.float32)


def moire(rng: random.Random, image: FloatImage) -> FloatImage:
    """Add a moire pattern, like the photograph of a screen."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    wave = np.sin(columns * rng.uniform(0.2, 1.4) + rows * rng.uniform(0.2, 1.4))
    shift = np.array([rng.uniform(0.4, 1) for _ in range(3)], np.float32)
    return image + wave[..., None] * shift * rng.uniform(4, 16)


def noise(rng: random.Random, image: FloatImage) -> FloatImage:
    """Add the noise of a sensor."""
    generator, strength = _noise_of(rng), rng.uniform(2, 20)
    channels = 1 if rng.random() < 0.6 else 3
    return image + strength * generator.standard_normal((*image.shape[:2], channels), np.float32)


def grey(_: random.Random, image: FloatImage) -> FloatImage:
    """Remove the colour."""
    return np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)


def bilevel(rng: random.Random, image: FloatImage) -> FloatImage:
    """Convert to black and white, like a fax."""
    light = image.mean(axis=2, keepdims=True)
    limit = float(light.min() * 0.5 + light.max() * 0.5) + rng.uniform(-25, 25)
    return np.repeat(np.where(light > limit, 255, 0).astype(np.float32), 3, axis=2)


def sharpen(rng: random.Random, image: FloatImage) -> FloatImage:
    """Sharpen edges too much, like cameras do."""
    amount = rng.uniform(0.5, 1.6)
    return image + amount * (image - cv2.GaussianBlur(image, (0, 0), 1.2))


def jpeg(rng: random.Random, image: FloatImage) -> FloatImage:
    """Encode as a JPEG."""
    return _encoded(image, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, rng.randint(22, 95)])


def webp(rng: random.Random, image: FloatImage) -> FloatImage:
    """Encode as a WebP (held out)."""
    return _encoded(image, ".webp", [cv2.IMWRITE_WEBP_QUALITY, rng.randint(15, 80)])


def pepper(rng: random.Random, image: FloatImage) -> FloatImage:
    """Add light and dark specks (held out)."""
    grain = _noise_of(rng).random((*image.shape[:2], 1), np.float32)
    share = rng.uniform(0.002, 0.02)
    return np.where(grain < share, 20.0, np.where(grain > 1 - share, 245.0, image)).astype(
        np.float32
    )


def median(_: random.Random, image: FloatImage) -> FloatImage:
    """Denoise with a median filter, like scanning programs do (held out)."""
    return cv2.medianBlur(np.clip(image, 0, 255).astype(np.uint8), 3).astype(np.float32)


HELD_OUT: tuple[tuple[Degradation, float], ...] = (
    (stretch, 0.3), (tilt, 0.25), (blur, 0.3), (coarse, 0.25), (median, 0.15), (pepper, 0.15),
    (webp, 0.4),
)  # fmt: skip
HELD_OUT_SMALL: tuple[tuple[Degradation, float], ...] = (
    (tilt, 0.1), (blur, 0.1), (pepper, 0.1), (webp, 0.4),
)  # fmt: skip


def apply(
    rng: random.Random, image: FloatImage, degradations: Sequence[tuple[Degradation, float]]
) -> FloatImage:
    """Return the image after each degradation, applied with its probability."""
    for degradation, probability in degradations:
        if rng.random() < probability:
            image = np.clip(degradation(rng, image), 0, 255).astype(np.float32)
    return image


def _resized(image: FloatImage, width: int, height: int) -> FloatImage:
    interpolation = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=interpolation)  # type: ignore[return-value]


def _warped(image: FloatImage, transform: cv2.typing.MatLike) -> FloatImage:
    height, width = image.shape[:2]
    return cv2.warpAffine(image, transform, (width, height), borderMode=cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def _encoded(image: FloatImage, kind: str, options: list[int]) -> FloatImage:
    _, data = cv2.imencode(kind, image.astype(np.uint8), options)
    return cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.float32)  # type: ignore[union-attr]
