"""The ink of an image of a line: what differs from its background."""

import cv2
import numpy as np

from model.vision.inference import Mask, Pixels

_MIN_CONTRAST = 24  # of 255; less is background
_FAINT = 0.6  # of the contrast that divides ink and background: the faint edge of strokes is ink


def ink_of(line: Pixels) -> Mask:
    """Return which pixels of a line, H x W x 3, differ from its background, H x W."""
    background = np.median(line.reshape(-1, 3)[::7], axis=0).astype(np.uint8)
    contrast = cv2.absdiff(line, np.broadcast_to(background, line.shape)).max(axis=2)
    level, _ = cv2.threshold(contrast, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink: Mask = contrast > max(_FAINT * level, _MIN_CONTRAST)
    return ink
