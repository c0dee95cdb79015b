"""Render one line of held-out text as it looks on paper and screens, with its surroundings.

The result is float32, H x W x 3, RGB, 0 to 255; `model.training.degrade` degrades it afterwards.
`model.training.line_renderer` renders the lines of training.
"""

import math
import random

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from model.training.fonts import Face, Faces, opened

FloatImage = npt.NDArray[np.float32]
Mask = npt.NDArray[np.float32]  # H x W, 0 to 1: the amount of ink

SIZES_PX = (20, 24, 28, 32, 36, 42, 48, 56)


def render_line(rng: random.Random, text: str, faces: Faces) -> FloatImage:
    """Return the text in a random face and random colours.

    Raises:
        LookupError: no face has all of its characters.

    """
    face = faces.pick(rng, text)
    mask = ink(rng, text, opened(face.path, face.index, rng.choice(SIZES_PX)))
    for addition in (add_neighbour, add_rules):
        mask = addition(rng, mask, face)
    return coloured(rng, mask)


def ink(rng: random.Random, text: str, font: ImageFont.FreeTypeFont) -> Mask:
    """Return the text's ink, with margins like those of a detector's boxes."""
    spacing = 0.0
    if rng.random() < 0.18:
        spacing = rng.uniform(-0.04, 0.35) * font.size
    left, top, right, bottom = font.getbbox(text)
    height = bottom - top
    above, below = (round(height * _margin(rng)) for _ in range(2))
    before, after = (round(height * max(0.0, rng.gauss(0.2, 0.2))) for _ in range(2))
    width = right - left + spacing * (len(text) - 1)
    size = (max(8, math.ceil(width) + before + after), max(8, math.ceil(height) + above + below))
    image = Image.new("L", size, 0)
    pen = ImageDraw.Draw(image)
    x, y = before - left, above - top
    if spacing == 0.0:
        pen.text((x, y), text, font=font, fill=255)
    else:
        for character in text:
            pen.text((x, y), character, font=font, fill=255)
            x += font.getlength(character) + spacing
    return np.asarray(image, np.float32) / np.float32(255)


def _margin(rng: random.Random) -> float:
    """Return a margin above or below a line as a share of its height; below 0 the line is cut."""
    return rng.uniform(-0.07, 0.06) if rng.random() < 0.25 else rng.uniform(0.03, 0.4)


def add_neighbour(rng: random.Random, mask: Mask, face: Face) -> Mask:
    """Add the lower edge of the line above, or the upper edge of the line below."""
    if rng.random() > 0.12:
        return mask
    height, width = mask.shape
    font = opened(face.path, face.index, max(12, round(height * 0.7)))
    letters = "".join(rng.choices("abdeghknpqtyABDEGHKQ0245689", k=max(1, width // height * 2)))
    image = Image.new("L", (width, height), 0)
    visible = max(1, round(height * rng.uniform(0.03, 0.14)))
    _, top, _, bottom = font.getbbox(letters)
    y = visible - bottom if rng.random() < 0.5 else height - visible - top
    ImageDraw.Draw(image).text((rng.uniform(-20, 10), y), letters, font=font, fill=255)
    return np.maximum(mask, np.asarray(image, np.float32) / 255)


def add_rules(rng: random.Random, mask: Mask, _: Face) -> Mask:
    """Add underlines, table rules and cell borders."""
    if rng.random() > 0.14:
        return mask
    height, width = mask.shape
    mask = mask.copy()
    for _rule in range(rng.randint(1, 2)):
        thickness, shade = rng.randint(1, max(1, height // 16)), rng.uniform(0.4, 1.0)
        position = rng.random()
        if position < 0.6:
            y = round(height * rng.uniform(0.9, 0.99))
            mask[y : y + thickness] = np.maximum(mask[y : y + thickness], shade)
        elif position < 0.75:
            mask[:thickness] = np.maximum(mask[:thickness], shade)
        else:
            x = round(height * rng.uniform(0, 0.06))
            x = x if rng.random() < 0.5 else max(0, width - thickness - x)
            mask[:, x : x + thickness] = np.maximum(mask[:, x : x + thickness], shade)
    return mask


def coloured(rng: random.Random, mask: Mask) -> FloatImage:
    """Colour ink and background: mostly dark on light, sometimes in colours, sometimes inverse."""
    if rng.random() < 0.68:
        background = np.full(3, rng.uniform(165, 255)) + _tint(rng, 12)
        ink = np.full(3, rng.uniform(0, 110)) + _tint(rng, 15)
    else:
        background, ink = _distinct(rng)
    if rng.random() < 0.09:
        background, ink = ink, background
    pixels = mask[..., None] * (ink - background).astype(np.float32) + background.astype(np.float32)
    if rng.random() < 0.04:
        pixels = _stamped(rng, pixels)
    return pixels.astype(np.float32)


def _tint(rng: random.Random, spread: float) -> npt.NDArray[np.float64]:
    return np.array([rng.uniform(-spread, spread) for _ in range(3)])


def _distinct(rng: random.Random) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return two colours whose brightness differs enough to be legible."""
    while True:
        one, other = (np.array([rng.uniform(0, 255) for _ in range(3)]) for _ in range(2))
        if abs(float((one - other) @ (0.3, 0.59, 0.11))) > 70:
            return (one, other) if one.sum() > other.sum() else (other, one)


def _stamped(rng: random.Random, pixels: FloatImage) -> FloatImage:
    """Add a part of a red seal over the line."""
    height, width = pixels.shape[:2]
    image = Image.new("L", (width, height), 0)
    radius, x = height * rng.uniform(0.8, 2.5), rng.uniform(0, width)
    y = height * rng.uniform(-1, 2)
    box = (x - radius, y - radius, x + radius, y + radius)
    ImageDraw.Draw(image).ellipse(box, outline=255, width=max(2, height // 10))
    seal = np.asarray(image, np.float32)[..., None] / 255 * rng.uniform(0.3, 0.6)
    red = np.array([rng.uniform(180, 230), rng.uniform(20, 70), rng.uniform(20, 70)], np.float32)
    return (pixels * (1 - seal) + red * seal).astype(np.float32)
