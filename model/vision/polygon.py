"""Where a line stands on its page."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Polygon = npt.NDArray[np.float32]  # 4 x 2, x and y, clockwise from top left


def measure(polygon: Polygon) -> tuple[int, int]:
    """Return the width and height of a box, in pixels, at least 1."""
    top, right, bottom, left = np.linalg.norm(polygon - np.roll(polygon, -1, axis=0), axis=1)
    return max(1, int(max(top, bottom))), max(1, int(max(right, left)))


def from_top_left(corners: Polygon) -> Polygon:
    """Return the corners of a rectangle clockwise from its top left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]]).astype(np.float32)
