"""The ink of a grey image of a line: what differs from its background."""

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.inference import Mask

Grey = npt.NDArray[np.uint8]  # H x W

_MIN_CONTRAST = 24  # of 255; less is background
_FAINT = 0.8  # of the contrast that divides ink and background: the edges of strokes are faint
_LENGTH = 4  # heights of a line in which the background is even
_EVERY = 4  # one row in so many shows the background


def ink_of(line: Grey) -> Mask:
    """Return which pixels of a line differ from its background, which may change along it."""
    contrast = cv2.absdiff(line, _background(line))
    level, _ = cv2.threshold(contrast, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink: Mask = contrast > max(_FAINT * level, _MIN_CONTRAST)
    return ink


def _background(line: Grey) -> Grey:
    """Return the background of a line: the median of each of its lengths, and between them."""
    height, width = line.shape
    count = max(1, round(width / (_LENGTH * height)))
    each = width // count
    rows = line[height % _EVERY // 2 :: _EVERY, : count * each]
    lengths = rows.reshape(-1, count, each).swapaxes(0, 1).reshape(count, -1)
    half = lengths.shape[1] // 2
    medians = np.partition(lengths, half, axis=1)[:, half]
    if count == 1:
        return np.full_like(line, medians[0])
    middles = (np.arange(count) + 0.5) * each
    across = np.interp(np.arange(width), middles, medians).astype(np.uint8)
    return np.broadcast_to(across, line.shape).copy()
