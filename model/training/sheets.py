"""Render pages whose lines are known, to measure detectors.

A sheet is rendered from its number and a seed, like lines. Most of its letters have one size, like
those of a document; some lines are larger.
"""

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from model.training import degrade
from model.training.fonts import Face, opened
from model.training.render import FloatImage
from model.training.source import Source

Boxes = npt.NDArray[np.float32]  # N x 4: left, top, right, bottom, in px

# None of them moves a line.
_DEGRADATIONS = (
    (degrade.weight, 0.15), (degrade.shadow, 0.3), (degrade.blur, 0.3), (degrade.noise, 0.4),
    (degrade.jpeg, 0.6),
)  # fmt: skip
_KINDS = ("english", "chinese", "mixed", "numbers")
_TRIES = 20  # to fit a line in its column


@dataclass(frozen=True)
class Sheet:
    """A page's pixels, H x W x 3, RGB, and the boxes of its lines' ink."""

    pixels: npt.NDArray[np.uint8]
    boxes: Boxes


class SheetSource(Source):
    """Sheets by number: the same number gives the same sheet."""

    def render(self, number: int, letter_px: int, size: tuple[int, int]) -> Sheet:
        """Return sheet `number`, with this height of its letters and this width and height."""
        rng = self._rng(f"sheet/{number}")
        image = Image.new("L", size, 0)
        pen, boxes = ImageDraw.Draw(image), []
        margin, gap = rng.uniform(0.04, 0.1) * size[0], letter_px * rng.uniform(0.5, 1.6)
        y, columns = margin, rng.choice((1, 1, 2, 3))
        kind = rng.choice(_KINDS)
        while y < size[1] - margin - 3 * letter_px:
            large = letter_px * (rng.uniform(1.3, 2.2) if rng.random() < 0.08 else 1)
            width = (size[0] - 2 * margin) / columns
            for column in range(columns):
                if rng.random() < 0.1:
                    continue
                font, text = self._fitting(rng, kind, round(large), 0.9 * width)
                x = margin + column * width
                pen.text((x, y), text, font=font, fill=255)
                boxes.append(font.getbbox(text, anchor="la") + np.array([x, y, x, y]))
            y += 1.3 * large + gap
        degraded = degrade.apply(rng, _coloured(rng, image), _DEGRADATIONS)
        pixels = np.clip(degraded, 0, 255).astype(np.uint8)
        return Sheet(pixels, np.array(boxes, np.float32))

    def _fitting(
        self, rng: random.Random, kind: str, height_px: int, width_px: float
    ) -> tuple[ImageFont.FreeTypeFont, str]:
        """Return a text that is at most this wide, and its font."""
        for attempt in range(_TRIES):
            text = self._text(rng, kind)
            text = text[: max(2, len(text) >> attempt // 3)].strip() or "1"
            try:
                face: Face = self._faces.pick(rng, text)
            except LookupError:
                continue
            font = opened(face.path, face.index, height_px)
            if font.getlength(text) <= width_px:
                return font, text
        face = self._faces.pick(rng, "1")
        return opened(face.path, face.index, height_px), "1"


def _coloured(rng: random.Random, ink: Image.Image) -> FloatImage:
    """Colour ink and background, mostly dark on light."""
    mask = np.asarray(ink, np.float32)[..., None] / np.float32(255)
    background, dark = rng.uniform(190, 255), rng.uniform(0, 100)
    if rng.random() < 0.05:
        background, dark = dark, background
    tint = np.array([rng.uniform(-10, 10) for _ in range(3)], np.float32)
    return (mask * np.float32(dark - background) + np.float32(background) + tint).astype(np.float32)
