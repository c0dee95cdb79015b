"""Cut a line out of its page, straightened."""

from collections.abc import Sequence

import cv2
import numpy as np

from model.vision.inference import Pixels
from model.vision.polygon import Polygon, measure

_CLEAR_ASPECT = 3.0  # a box this much longer than high, or higher than long, shows its direction


def cut_line(pixels: Pixels, polygon: Polygon, *, sideways: bool) -> Pixels:
    """Return the box's content, H x W x 3, as one line running left to right.

    A line that runs up or down (`sideways`) is turned a quarter counter-clockwise.
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
    if not sideways:
        return line  # type: ignore[return-value]
    return cv2.rotate(line, cv2.ROTATE_90_COUNTERCLOCKWISE)  # type: ignore[return-value]


def sideways_lines(polygons: Sequence[Polygon]) -> set[int]:
    """Return the indices of the boxes whose text runs up or down.

    Long boxes tell; short ones ("1" is high, but stands upright) go with most of the page.
    """
    sizes = [measure(polygon) for polygon in polygons]
    down = {i for i, (width, height) in enumerate(sizes) if height >= _CLEAR_ASPECT * width}
    along = {i for i, (width, height) in enumerate(sizes) if width >= _CLEAR_ASPECT * height}
    if sum(sizes[i][1] for i in down) > sum(sizes[i][0] for i in along):
        return set(range(len(sizes))) - along
    return down


def upside_down(line: Pixels) -> Pixels:
    """Return the line turned by half a circle."""
    return cv2.rotate(line, cv2.ROTATE_180)  # type: ignore[return-value]
