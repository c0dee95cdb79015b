"""Pages with seals, rendered for tests."""

import math

import numpy as np
from PIL import Image, ImageDraw

from model.vision.inference import Pixels
from tests.model.images import render_page

ROWS = [
    ["Party A: Haifeng Trading"],
    ["Signed on 18 March 2026"],
    ["Total: USD 3,200.00"],
    ["Account 6228 4800 1234"],
]
RED, BLUE, PURPLE = (205, 30, 40), (40, 70, 190), (140, 50, 170)
_STAR = [(math.sin(k * math.tau / 5 * 2), -math.cos(k * math.tau / 5 * 2)) for k in range(5)]


def contract() -> Image.Image:
    """Return a page of four lines."""
    return render_page(ROWS)


def seal_mask(kind: str, size_px: int = 190) -> Image.Image:
    """Return the shape of a seal, white on black: round, oval, square or a frame."""
    mask = Image.new("L", (size_px, size_px))
    pen = ImageDraw.Draw(mask)
    high = size_px if kind in {"round", "square"} else round(size_px * 0.6)
    box = (0, 0, size_px - 1, high - 1)
    if kind in {"round", "oval"}:
        pen.ellipse(box, outline=255, width=6)
    else:
        pen.rectangle(box, outline=255, width=6)
    middle, radius = (size_px / 2, high / 2), high / 6
    pen.polygon([(middle[0] + radius * x, middle[1] + radius * y) for x, y in _STAR], fill=255)
    for degrees in range(150, 400, 25):  # the words along the edge
        turn = math.radians(degrees)
        x = middle[0] + 0.36 * size_px * math.cos(turn)
        y = middle[1] + 0.36 * high * math.sin(turn)
        pen.line((x - 6, y, x + 6, y), 255, 3)
        pen.line((x, y - 6, x, y + 6), 255, 3)
    return mask


def stamp(
    page: Image.Image,
    mask: Image.Image,
    corner: tuple[int, int],
    colour: tuple[int, int, int],
) -> Pixels:
    """Return a page, H x W x 3, with a seal in transparent ink, as a stamp pad has."""
    cover = Image.new("L", page.size)
    cover.paste(mask, corner)
    share = np.asarray(cover)[..., None] / 255
    ink = 1 - share + share * np.array(colour) / 255
    stamped: Pixels = (np.asarray(page) * ink).astype(np.uint8)
    return stamped
