"""The box of the only character of a page, such as 一, which the detector does not find."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from model.vision.inference import Pixels
from model.vision.polygon import Polygon

_MAX_SIDE_PX = 1000  # of a page; on larger ones a lone spot is more likely than a lone character
_CONTRAST = 48  # of 255, between ink and background
_MAX_PARTS = 4  # of a character: strokes that do not touch
_MIN_PX, _MAX_SHARE = 4, 0.8  # of the ink's longer side; of a side of the page
# The heights of a stroke as wide as a character, in shares of its width; what is lower is a rule.
_FLAT = (1 / 40, 1 / 4)
_STRAIGHT = 0.75  # share of its width that one row of a stroke fills; of joined letters, less
_MARGIN = 0.3  # of the ink's longer side, on each side


def with_lone_ink(pixels: Pixels, found: Sequence[Polygon]) -> list[Polygon]:
    """Return the boxes found on a page, H x W x 3, or that of its only character if it has one.

    Of a stroke alone the detector finds nothing, or one of its ends.
    """
    if len(found) > 1 or max(pixels.shape[:2]) > _MAX_SIDE_PX:
        return [*found]
    ink = _ink(pixels)
    if ink is None or (found and not (ink.is_flat and ink.is_straight)):
        return [*found]
    (page_height, page_width), (left, top, width, height) = pixels.shape[:2], ink.bounds
    size = max(width, height)
    middle, reach = top + height / 2, (size if ink.is_flat else height) / 2
    low = np.array([left, middle - reach]) - _MARGIN * size
    high = np.array([left + width, middle + reach]) + _MARGIN * size
    low, high = (np.clip(each, 0, (page_width - 1, page_height - 1)) for each in (low, high))
    corners = [low, (high[0], low[1]), high, (low[0], high[1])]
    return [np.array(corners, np.float32)]


class _Ink(NamedTuple):
    """The left, top, width and height of a page's ink, in px."""

    bounds: tuple[int, int, int, int]
    is_flat: bool  # as a stroke is
    is_straight: bool


def _ink(pixels: Pixels) -> _Ink | None:
    """Return the ink of a page, H x W x 3, if that may be one character."""
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    background = np.median(np.concatenate(edges), axis=0).astype(np.uint8)
    contrast = cv2.absdiff(pixels, np.broadcast_to(background, pixels.shape)).max(axis=2)
    ink = (contrast > _CONTRAST).astype(np.uint8)
    parts, _ = cv2.connectedComponents(ink)
    if not 1 < parts <= 1 + _MAX_PARTS:
        return None
    left, top, width, height = cv2.boundingRect(ink)
    if max(width, height) < _MIN_PX or not (
        width < _MAX_SHARE * pixels.shape[1] and height < _MAX_SHARE * pixels.shape[0]
    ):
        return None
    is_flat = parts == 1 + 1 and _FLAT[0] < height / width < _FLAT[1]
    row = int(ink.sum(axis=1).max())
    return _Ink((left, top, width, height), is_flat, is_straight=row > _STRAIGHT * width)
