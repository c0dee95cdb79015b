"""Worn print of the held-out sets: made otherwise than `print_effects` does for training.

Each function takes the ink of a line (H x W, 0 to 1) and returns its image, H x W x 3, RGB.
"""

import random

import cv2
import numpy as np

from model.training.render import FloatImage, Mask

_PITCH_PX = 4  # between the dots of a needle printer
_ROWS = (9, 12)  # of dots in the height of a line: needle printers have nine or more


def needles(rng: random.Random, mask: Mask) -> FloatImage:
    """Print with needles: round dots of uneven strength, every second row a little shifted."""
    rows = rng.randint(*_ROWS) + 3  # with the margins
    columns = max(4, round(mask.shape[1] * rows / mask.shape[0]))
    coarse = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA)
    generator = np.random.default_rng(rng.getrandbits(32))
    limit, radius = rng.uniform(0.3, 0.45), rng.uniform(1.2, 2.0)
    shift = rng.uniform(-0.3, 0.3) * _PITCH_PX
    ink = np.zeros((rows * _PITCH_PX, columns * _PITCH_PX), np.uint8)
    for row, column in np.argwhere(coarse > limit):
        x = (column + 0.5) * _PITCH_PX + (shift if row % 2 else 0)
        centre = (round(16 * x), round(16 * (row + 0.5) * _PITCH_PX))
        strength = int(255 * generator.uniform(0.45, 1.0))
        cv2.circle(ink, centre, round(16 * radius), strength, -1, cv2.LINE_AA, 4)
    return _on_paper(rng, ink.astype(np.float32) / np.float32(255), ink_level=rng.uniform(30, 110))


def thermal(rng: random.Random, mask: Mask) -> FloatImage:
    """Print on thermal paper: fading along the line, and columns that the print head misses."""
    width = mask.shape[1]
    ends = [rng.uniform(0.25, 0.9) for _ in range(3)]
    strength = np.interp(np.arange(width), [0, width / 2, width], ends).astype(np.float32)
    for _ in range(rng.randint(0, 3)):
        strength[rng.randrange(width)] *= 0.2
    return _on_paper(rng, mask * strength, ink_level=rng.uniform(40, 100))


def carbon(rng: random.Random, mask: Mask) -> FloatImage:
    """Print through carbon paper: soft, bluish, with a second impression and smears."""
    moved = np.roll(mask, (rng.randint(-1, 1), rng.choice((-1, 1, 2))), (0, 1))
    ink = np.maximum(mask, moved * np.float32(rng.uniform(0.2, 0.6)))
    ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.7, 1.5))
    smear = cv2.blur(mask, (31, 5)) * rng.uniform(0, 0.3)
    ink = np.clip(ink * rng.uniform(0.45, 0.9) + smear, 0, 1)
    image = _on_paper(rng, ink.astype(np.float32), ink_level=rng.uniform(60, 120))
    image[..., 2] += ink * rng.uniform(0, 60)
    return np.clip(image, 0, 255).astype(np.float32)


def pale(rng: random.Random, mask: Mask) -> FloatImage:
    """Print with little toner: hardly darker than the paper, and with gaps."""
    generator = np.random.default_rng(rng.getrandbits(32))
    gaps = cv2.GaussianBlur(generator.random(mask.shape, np.float32), (0, 0), rng.uniform(0.8, 3))
    kept = gaps > np.quantile(gaps, rng.uniform(0, 0.25))
    return _on_paper(rng, mask * kept.astype(np.float32), ink_level=rng.uniform(110, 165))


EFFECTS = (needles, needles, thermal, carbon, pale)  # needle printers are the hardest kind


def _on_paper(rng: random.Random, ink: Mask, *, ink_level: float) -> FloatImage:
    """Return ink of a grey level on paper that is a little tinted and unevenly lit."""
    height, width = ink.shape
    paper = np.array([rng.uniform(195, 250) - rng.uniform(0, 14) for _ in range(3)], np.float32)
    light = np.linspace(rng.uniform(0.88, 1), rng.uniform(0.88, 1), width, dtype=np.float32)
    image = paper * light[None, :, None] * np.ones((height, 1, 1), np.float32)
    return (image + ink[..., None] * (np.float32(ink_level) - image)).astype(np.float32)
