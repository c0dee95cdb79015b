"""Cut a line out of its page, straightened."""

import cv2
import numpy as np

from model.detect import Polygon
from model.inference import Pixels

UPRIGHT_ASPECT = 1.5  # boxes that are this much higher than wide hold text running up or down


def cut_line(pixels: Pixels, polygon: Polygon) -> Pixels:
    """Return the box's content, H x W x 3, as one line running left to right.

    Boxes much higher than wide are turned a quarter counter-clockwise.
    """
    width, height = measure(polygon)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    transform = cv2.getPerspectiveTransform(polygon, target)
    line = cv2.warpPerspective(
        pixels,
        transform,
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if runs_vertically(polygon):
        line = cv2.rotate(line, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return line  # type: ignore[return-value]


def measure(polygon: Polygon) -> tuple[int, int]:
    """Return the width and height of a box, in pixels, at least 1."""
    top, right, bottom, left = np.linalg.norm(polygon - np.roll(polygon, -1, axis=0), axis=1)
    return max(1, int(max(top, bottom))), max(1, int(max(right, left)))


def runs_vertically(polygon: Polygon) -> bool:
    """Tell whether the box is so high that its text must run up or down."""
    width, height = measure(polygon)
    return height >= UPRIGHT_ASPECT * width


def upside_down(line: Pixels) -> Pixels:
    """Return the line turned by half a circle."""
    return cv2.rotate(line, cv2.ROTATE_180)  # type: ignore[return-value]
