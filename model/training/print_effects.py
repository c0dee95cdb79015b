"""Effects of printing for the lines of training, and the degradations of training.

Effects on ink take and return a mask, the others an image, like `model.training.degrade`.
"""

import math
import random

import cv2
import numpy as np
from PIL import Image, ImageDraw

from model.training import degrade
from model.training.degrade import Degradation
from model.training.fonts import Face, opened
from model.training.render import FloatImage, Mask

_NOISE = np.random.default_rng(5).standard_normal(1 << 21).astype(np.float32)
_FIELDS = np.random.default_rng(6).random((64, 8, 48)).astype(np.float32)
_SEAL_CHARACTERS = "专用章有限公司合同财务发票业务科技北京上海中国"


def dot_matrix(rng: random.Random, coarse: Mask) -> Mask:
    """Return a small mask as a dot-matrix printer prints it: every pixel is a dot."""
    hits = (coarse > rng.uniform(0.3, 0.5)).astype(np.float32)
    generator = np.random.default_rng(rng.getrandbits(32))
    hits *= generator.uniform(rng.uniform(0.3, 0.9), 1.0, hits.shape).astype(np.float32)
    pitch = rng.randint(3, 4)
    dots = np.zeros((hits.shape[0] * pitch, hits.shape[1] * pitch), np.float32)
    dots[pitch // 2 :: pitch, pitch // 2 :: pitch] = hits
    spots = cv2.GaussianBlur(dots, (0, 0), pitch * rng.uniform(0.28, 0.5))
    return np.clip(spots * (pitch * pitch * rng.uniform(0.5, 1.1)), 0, 1)


def ribbon(rng: random.Random, mask: Mask) -> Mask:
    """Vary the ink like a worn ribbon, a carbon copy or a dry stamp pad."""
    field = _FIELDS[rng.randrange(len(_FIELDS))]
    columns = rng.randint(6, 48)
    low = cv2.resize(
        field[: rng.randint(2, 8), :columns], mask.shape[::-1], interpolation=cv2.INTER_CUBIC
    )
    least = rng.uniform(0.15, 0.6)
    return (mask * np.clip(least + (1.4 - least) * low, 0, 1)).astype(np.float32)


def low_contrast(rng: random.Random, image: FloatImage) -> FloatImage:
    """Bring ink and paper close to each other."""
    middle = float(image.mean()) if rng.random() < 0.5 else float(np.median(image))
    return middle + (image - middle) * rng.uniform(0.22, 0.7)


def grain(rng: random.Random, image: FloatImage) -> FloatImage:
    """Add the noise of a sensor, a part of a precomputed strip: `degrade.noise` is slower."""
    height, width = image.shape[:2]
    channels = 1 if rng.random() < 0.6 else 3
    count = height * width * channels
    start = rng.randrange(max(1, len(_NOISE) - count))
    cut = _NOISE[start : start + count]
    if len(cut) < count:
        return image
    return image + rng.uniform(2, 20) * cut.reshape(height, width, channels)


def seal(rng: random.Random, image: FloatImage, face: Face) -> FloatImage:
    """Stamp a part of a red or blue seal over the line: a ring, a star, characters around it."""
    height, width = image.shape[:2]
    radius = height * rng.uniform(0.9, 2.6)
    x, y = rng.uniform(0, width), height * rng.uniform(-0.8, 1.8)
    layer = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(layer)
    line = max(1, round(radius * rng.uniform(0.03, 0.07)))
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=255, width=line)
    font = opened(face.path, face.index, max(10, round(radius * 0.28)))
    for number in range(rng.randint(6, 14)):
        angle = rng.uniform(0, 0.2) + number * 0.42
        place = (x + 0.78 * radius * math.cos(angle), y + 0.78 * radius * math.sin(angle))
        pen.text(place, rng.choice(_SEAL_CHARACTERS), font=font, fill=255, anchor="mm")
    pen.polygon(_star(x, y, radius), fill=255)
    ink = np.asarray(layer, np.float32)[..., None] / 255 * rng.uniform(0.25, 0.75)
    colour = (rng.uniform(180, 235), rng.uniform(20, 90), rng.uniform(20, 90))
    colour = colour if rng.random() < 0.85 else colour[::-1]
    # A seal darkens: the print below it stays visible.
    stamped = image * (1 - ink) + np.minimum(image, np.array(colour, np.float32)) * ink
    return stamped.astype(np.float32)


def _star(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """Return the corners of a five-pointed star in the middle of a seal."""
    corners = []
    for number in range(10):
        length, angle = radius * (0.3 if number % 2 == 0 else 0.12), number * math.pi / 5
        corners.append((x + length * math.sin(angle), y - length * math.cos(angle)))
    return corners


TRAINING: tuple[tuple[Degradation, float], ...] = (
    (degrade.stretch, 0.3), (degrade.slant, 0.08), (degrade.curve, 0.08), (degrade.tilt, 0.25),
    (degrade.weight, 0.18), (degrade.dots, 0.04), (degrade.thermal, 0.1), (low_contrast, 0.12),
    (degrade.shadow, 0.12), (degrade.blur, 0.3), (degrade.coarse, 0.3), (degrade.motion, 0.06),
    (degrade.moire, 0.04), (degrade.bilevel, 0.05), (grain, 0.4), (degrade.sharpen, 0.1),
    (degrade.grey, 0.3), (degrade.jpeg, 0.5),
)  # fmt: skip
SMALL_PRINT: tuple[tuple[Degradation, float], ...] = (
    (degrade.stretch, 0.15), (degrade.tilt, 0.12), (low_contrast, 0.1), (degrade.shadow, 0.08),
    (degrade.blur, 0.12), (degrade.bilevel, 0.02), (grain, 0.3), (degrade.sharpen, 0.08),
    (degrade.grey, 0.3), (degrade.jpeg, 0.45),
)  # fmt: skip
# Before the others, on worn print.
WORN: tuple[tuple[Degradation, float], ...] = (
    (degrade.thermal, 0.3), (low_contrast, 0.35), (degrade.dots, 0.08), (degrade.weight, 0.2),
)  # fmt: skip
