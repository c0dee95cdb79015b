"""The skew of a page: the angle of its lines, and the page rotated so that they are level."""

from collections.abc import Sequence

import cv2
import numpy as np

from model.vision.angles import degrees_to_axis, weighted_median
from model.vision.inference import Pixels
from model.vision.polygon import Numbers, Polygon

_LEAST_DEGREES = 12.0  # below it, lines are found whole
_LONG = 2.5  # a box this many times as long as it is high shows an angle
_NEAR_DEGREES = 6.0  # angles of lines that are parallel
_PARALLEL = 0.7  # share of the lengths of all lines, if the page as a whole is skewed


def skew_degrees(found: Sequence[Polygon]) -> float:
    """Return the angle of a page's lines, clockwise, from -45 to 45; 0 if they are about level.

    Lines that run up or down have the angle of a page that is rotated by 90 degrees.
    """
    angles, lengths = [], []
    for box in found:
        across, down = box[1] - box[0], box[2] - box[1]
        length, height = np.linalg.norm(across), np.linalg.norm(down)
        long = across if length >= height else down
        if max(length, height) >= _LONG * min(length, height):
            angles.append(degrees_to_axis(long[0], long[1]))
            lengths.append(float(max(length, height)))
    if not angles:
        return 0.0
    each, weight = np.array(angles), np.array(lengths)
    # 44 and -44 degrees are near each other.
    from_first = (each - each[weight.argmax()] + 45) % 90 - 45
    middle = weighted_median(from_first, weight)
    near = np.abs(from_first - middle) <= _NEAR_DEGREES
    degrees = (middle + float(each[weight.argmax()]) + 45) % 90 - 45
    skewed = abs(degrees) >= _LEAST_DEGREES and weight[near].sum() >= _PARALLEL * weight.sum()
    return degrees if skewed else 0.0


def level(pixels: Pixels, scale: float, degrees: float) -> tuple[Pixels, Numbers]:
    """Return pixels, H x W x 3, scaled and rotated counter-clockwise, on a canvas that holds all.

    The second value is the transform back, 2 x 3, from px of the result to those of the input.
    """
    height, width = pixels.shape[:2]
    size = np.maximum(1, np.rint(scale * np.array([width, height]))).astype(int)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(pixels, (int(size[0]), int(size[1])), interpolation=interpolation)
    forth = cv2.getRotationMatrix2D((0, 0), degrees, 1)
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], size], np.float64)[None]
    rotated = cv2.transform(corners, forth)[0]
    forth[:, 2] = -rotated.min(axis=0)
    canvas = np.ceil(np.ptp(rotated, axis=0)).astype(int)
    colour = np.median(resized, axis=(0, 1)).tolist()
    turned = cv2.warpAffine(
        resized, forth, (int(canvas[0]), int(canvas[1])), borderValue=(*colour,)
    )
    back = cv2.invertAffineTransform(forth)
    exact = np.array([width, height]) / size
    return turned, back * exact[:, None]  # type: ignore[return-value]
