"""Stretch the contrast of a pale page for the detector, which knows letters by their contrast."""

import cv2
import numpy as np

from model.vision.inference import Pixels

_STEP = 4  # every so many rows and columns are looked at
_DARKEST, _LIGHTEST = 0.2, 99.8  # percentiles; a few dead pixels are not ink
_PALE = 110  # of 255, between the darkest and the lightest; other pages stay as they are
_BLANK = 12  # lower differences are the noise of a blank page


def stretch(page: Pixels) -> Pixels:
    """Return a page, H x W x 3, with full contrast if it was pale and not blank."""
    darkest, lightest = np.percentile(page[::_STEP, ::_STEP], [_DARKEST, _LIGHTEST])
    difference = lightest - darkest
    if not _BLANK <= difference <= _PALE:
        return page
    levels = np.clip((np.arange(256) - darkest) * (255 / difference), 0, 255)
    return cv2.LUT(page, np.rint(levels).astype(np.uint8))  # type: ignore[return-value]
