"""Image files as arrays of pixels, decoded as the engine gets them."""

from pathlib import Path

import numpy as np

from model.decoding.images import ImageFile, rgb_strips
from model.vision.inference import Pixels

_MAX_PIXELS = 100_000_000


def pixels_of(image: Path) -> Pixels:
    """Return the upright RGB pixels, H x W x 3."""
    opened = ImageFile(image.read_bytes(), _MAX_PIXELS).upright(1)
    flat = np.frombuffer(b"".join(rgb_strips(opened)), np.uint8)
    return flat.reshape(opened.height, opened.width, 3)
