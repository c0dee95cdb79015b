"""Boxes of the lines in a DB network's probability map.

Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020, with the
thresholds that PaddleOCR publishes for these weights.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.outlines import outlines
from model.vision.polygon import Polygon, order_points_clockwise

# As in PaddleOCR's DBPostProcess: thresh, box_thresh, unclip_ratio, min_size.
_THRESHOLD = 0.3  # probability from which a pixel is text
_BOX_THRESHOLD = 0.5  # mean probability from which a box is a line
_UNCLIP_RATIO = 1.6  # in training, boxes were shrunk; they grow by area * this / perimeter
_MIN_SIZE_PX = 3.0  # on the map; smaller boxes are noise


def boxes(probability: npt.NDArray[np.float32]) -> Iterator[Polygon]:
    """Yield the boxes of the lines in a probability map, H x W, in px of the map."""
    # Without holes: one would be a second box inside its line.
    mask = cv2.dilate((probability > _THRESHOLD).astype(np.uint8), np.ones((2, 2), np.uint8))
    for contour in outlines(mask):  # type: ignore[arg-type]
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _MIN_SIZE_PX:
            continue
        if _score(probability, contour) < _BOX_THRESHOLD:
            continue
        # DB offsets the outline by d; for a rectangle, each side becomes 2 d longer.
        grown = 2 * (width * height * _UNCLIP_RATIO / (2 * (width + height)))
        yield order_points_clockwise(
            cv2.boxPoints((centre, (width + grown, height + grown), angle))  # type: ignore[arg-type]
        )


def _score(probability: npt.NDArray[np.float32], outline: npt.NDArray[np.int32]) -> float:
    """Return the mean probability inside an outline, N x 1 x 2, in px of the map.

    Not inside the rectangle around it: where a line bends or slants, most of that is background.
    """
    left, top, width, height = cv2.boundingRect(outline)
    inside = np.zeros((height, width), np.uint8)
    cv2.drawContours(inside, [outline], 0, (1,), cv2.FILLED, offset=(-left, -top))
    window = probability[top : top + height, left : left + width]
    return float(cv2.mean(window, inside)[0])
