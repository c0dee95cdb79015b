"""Stretch the contrast of a pale page for the detector, which knows letters by their contrast."""

import cv2
import numpy as np

from model.vision.inference import Pixels

_PALE = 110  # of 255, between the darkest and the lightest; other pages stay as they are
_BLANK = 12  # lower differences are the noise of a blank page


def stretch(page: Pixels) -> Pixels:
    """Return a page, H x W x 3, with full contrast if it was pale and not blank."""
    darkest, lightest = int(page.min()), int(page.max())  # not percentiles: ink may be rare
    difference = lightest - darkest
    if not _BLANK <= difference <= _PALE:
        return page
    levels = np.clip((np.arange(256) - darkest) * (255 / difference), 0, 255)
    return cv2.LUT(page, np.rint(levels).astype(np.uint8))  # type: ignore[return-value]
