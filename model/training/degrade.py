"""Wear a drawing out as printing, paper, cameras and scanners do.

Each wear takes and returns a drawing, float32 H x W x 3, 0 to 255. Some are kept for the held-out
sets and never trained on.
"""

import random
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from model.training.drawing import Drawing

Wear = Callable[[random.Random, Drawing], Drawing]


def _noise_of(rng: random.Random) -> np.random.Generator:
    return np.random.default_rng(rng.getrandbits(64))


def tilt(rng: random.Random, drawing: Drawing) -> Drawing:
    """Turn a little, as a box that does not follow its line."""
    height, width = drawing.shape[:2]
    limit = min(2.5, 25 * height / width)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-limit, limit), 1)
    return _warped(drawing, turn)


def slant(rng: random.Random, drawing: Drawing) -> Drawing:
    """Shear, as a page seen from the side."""
    height = drawing.shape[0]
    shear = rng.uniform(-0.25, 0.25)
    return _warped(drawing, np.array([[1.0, shear, -shear * height / 2], [0.0, 1.0, 0.0]]))


def curve(rng: random.Random, drawing: Drawing) -> Drawing:
    """Bend the line up or down, as paper that does not lie flat."""
    height, width = drawing.shape[:2]
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    swing = (
        height
        * rng.uniform(0.02, 0.08)
        * np.sin(columns / width * np.pi * rng.uniform(0.6, 2.2) + rng.uniform(0, 6.3))
    )
    bent = (rows + swing).astype(np.float32)
    return cv2.remap(  # type: ignore[return-value]
        drawing, columns, bent, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def stretch(rng: random.Random, drawing: Drawing) -> Drawing:
    """Make it wider or narrower."""
    height, width = drawing.shape[:2]
    return _resized(drawing, max(8, round(width * rng.uniform(0.72, 1.35))), height)


def coarse(rng: random.Random, drawing: Drawing) -> Drawing:
    """Lose detail: a low resolution, enlarged again."""
    height, width = drawing.shape[:2]
    rows = rng.uniform(11, 30)
    if rows >= height:
        return drawing
    small = _resized(drawing, max(4, round(width * rows / height)), round(rows))
    how = rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST))
    return np.clip(cv2.resize(small, (width, height), interpolation=how), 0, 255)  # type: ignore[return-value]


def blur(rng: random.Random, drawing: Drawing) -> Drawing:
    """Set out of focus."""
    return cv2.GaussianBlur(drawing, (0, 0), rng.uniform(0.4, 1.6))  # type: ignore[return-value]


def motion(rng: random.Random, drawing: Drawing) -> Drawing:
    """Move while the shutter is open."""
    size = rng.choice((3, 5, 7))
    kernel = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = (size // 2) * np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([size // 2, size // 2])
    ends = [tuple(np.rint(middle + sign * reach).astype(int).tolist()) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], (1.0,))
    return cv2.filter2D(drawing, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def weight(rng: random.Random, drawing: Drawing) -> Drawing:
    """Let ink run or starve."""
    kernel = np.ones((2, 2), np.uint8)
    return (cv2.erode if rng.random() < 0.5 else cv2.dilate)(drawing, kernel)  # type: ignore[return-value]


def thermal(rng: random.Random, drawing: Drawing) -> Drawing:
    """Fade as a receipt: pale, grainy, with rows or columns that the print head missed."""
    height, width = drawing.shape[:2]
    paper = float(np.median(drawing))
    keep = np.full((height, width, 1), rng.uniform(0.35, 0.85), np.float32)
    if rng.random() < 0.5:
        grain = _noise_of(rng).random((height, width, 1), np.float32)
        keep *= grain > rng.uniform(0.05, 0.3)
    for _ in range(rng.randint(0, 2)):
        keep[rng.randrange(height)] *= 0.3
    return drawing * keep + paper * (1 - keep)


def dots(rng: random.Random, drawing: Drawing) -> Drawing:
    """Print with needles: the ink breaks into dots."""
    height, width = drawing.shape[:2]
    step = max(2.0, height / rng.uniform(14, 22))
    rows, columns = (
        np.sin(np.arange(height) * 2 * np.pi / step),
        np.sin(np.arange(width) * 2 * np.pi / step),
    )
    holes = ((rows[:, None] + columns) * 0.25 + 0.5) ** 0.6
    keep = (rng.uniform(0.4, 0.7) + 0.5 * holes).clip(0, 1)[..., None].astype(np.float32)
    paper = float(np.median(drawing))
    return drawing * keep + paper * (1 - keep)


def shadow(rng: random.Random, drawing: Drawing) -> Drawing:
    """Let light fall off to one side, or a shadow's edge cross the line."""
    height, width = drawing.shape[:2]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * rng.choice((-1, 1))
    along = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * rng.uniform(-0.5, 0.5)
    steep = rng.choice((0.8, 1.5, 12.0))
    light = 1 - rng.uniform(0.15, 0.55) / (
        1 + np.exp(-steep * (across + along - rng.uniform(-0.7, 0.7)))
    )
    return (drawing * light[..., None]).astype(np.float32)


def moire(rng: random.Random, drawing: Drawing) -> Drawing:
    """Photograph a screen."""
    height, width = drawing.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    wave = np.sin(columns * rng.uniform(0.2, 1.4) + rows * rng.uniform(0.2, 1.4))
    shift = np.array([rng.uniform(0.4, 1) for _ in range(3)], np.float32)
    return drawing + wave[..., None] * shift * rng.uniform(4, 16)


def noise(rng: random.Random, drawing: Drawing) -> Drawing:
    """Add a sensor's noise."""
    generator, strength = _noise_of(rng), rng.uniform(2, 20)
    channels = 1 if rng.random() < 0.6 else 3
    return drawing + strength * generator.standard_normal(
        (*drawing.shape[:2], channels), np.float32
    )


def grey(_: random.Random, drawing: Drawing) -> Drawing:
    """Scan without colour."""
    return np.repeat(drawing.mean(axis=2, keepdims=True), 3, axis=2)


def bilevel(rng: random.Random, drawing: Drawing) -> Drawing:
    """Scan or fax in black and white."""
    light = drawing.mean(axis=2, keepdims=True)
    limit = float(light.min() * 0.5 + light.max() * 0.5) + rng.uniform(-25, 25)
    return np.repeat(np.where(light > limit, 255, 0).astype(np.float32), 3, axis=2)


def sharpen(rng: random.Random, drawing: Drawing) -> Drawing:
    """Overdo the edges, as cameras do."""
    amount = rng.uniform(0.5, 1.6)
    return drawing + amount * (drawing - cv2.GaussianBlur(drawing, (0, 0), 1.2))


def jpeg(rng: random.Random, drawing: Drawing) -> Drawing:
    """Keep as a JPEG."""
    return _encoded(drawing, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, rng.randint(22, 95)])


def webp(rng: random.Random, drawing: Drawing) -> Drawing:
    """Keep as a WebP (held out)."""
    return _encoded(drawing, ".webp", [cv2.IMWRITE_WEBP_QUALITY, rng.randint(15, 80)])


def pepper(rng: random.Random, drawing: Drawing) -> Drawing:
    """Strew dust (held out)."""
    grain = _noise_of(rng).random((*drawing.shape[:2], 1), np.float32)
    share = rng.uniform(0.002, 0.02)
    return np.where(grain < share, 20.0, np.where(grain > 1 - share, 245.0, drawing)).astype(
        np.float32
    )


def median(_: random.Random, drawing: Drawing) -> Drawing:
    """Denoise by a median filter, as scanning programs do (held out)."""
    return cv2.medianBlur(np.clip(drawing, 0, 255).astype(np.uint8), 3).astype(np.float32)


TRAINED: tuple[tuple[Wear, float], ...] = (
    (stretch, 0.3), (slant, 0.08), (curve, 0.08), (tilt, 0.3), (weight, 0.18), (dots, 0.04),
    (thermal, 0.08), (shadow, 0.12), (blur, 0.35), (coarse, 0.32), (motion, 0.06), (moire, 0.04),
    (bilevel, 0.04), (noise, 0.4), (sharpen, 0.1), (grey, 0.3), (jpeg, 0.55),
)  # fmt: skip
HELD_OUT: tuple[tuple[Wear, float], ...] = (
    (stretch, 0.3), (tilt, 0.25), (blur, 0.3), (coarse, 0.25), (median, 0.15), (pepper, 0.15),
    (webp, 0.4),
)  # fmt: skip


def degrade(rng: random.Random, drawing: Drawing, *, held_out: bool = False) -> Drawing:
    """Return the drawing after some of the wears, in the order that the world applies them."""
    return worn(rng, drawing, HELD_OUT if held_out else TRAINED)


def worn(rng: random.Random, drawing: Drawing, wears: Sequence[tuple[Wear, float]]) -> Drawing:
    """Return the drawing after each wear that its chance brings."""
    for wear, chance in wears:
        if rng.random() < chance:
            drawing = np.clip(wear(rng, drawing), 0, 255).astype(np.float32)
    return drawing


def _resized(drawing: Drawing, width: int, height: int) -> Drawing:
    how = cv2.INTER_AREA if width < drawing.shape[1] else cv2.INTER_LINEAR
    return cv2.resize(drawing, (width, height), interpolation=how)  # type: ignore[return-value]


def _warped(drawing: Drawing, transform: cv2.typing.MatLike) -> Drawing:
    height, width = drawing.shape[:2]
    return cv2.warpAffine(drawing, transform, (width, height), borderMode=cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def _encoded(drawing: Drawing, kind: str, options: list[int]) -> Drawing:
    _, data = cv2.imencode(kind, drawing.astype(np.uint8), options)
    return cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.float32)  # type: ignore[union-attr]
