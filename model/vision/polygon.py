"""The polygon of a line: the four corners of its box on the page."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Polygon = npt.NDArray[np.float32]  # 4 x 2, x and y, clockwise from the top left


def width_and_height(polygon: Polygon) -> tuple[int, int]:
    """Return the width and height of a box in pixels, at least 1."""
    top, right, bottom, left = np.linalg.norm(polygon - np.roll(polygon, -1, axis=0), axis=1)
    return max(1, int(max(top, bottom))), max(1, int(max(right, left)))


def order_points_clockwise(corners: Polygon) -> Polygon:
    """Return the corners of a rectangle clockwise from the top left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]]).astype(np.float32)
