"""The polygon of a line: the four corners of its box on the page."""

import math

import cv2
import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Polygon = npt.NDArray[np.float32]  # 4 x 2, x and y, clockwise from the top left
Polygons = npt.NDArray[np.float32]  # N x 4 x 2


def width_and_height(polygon: Polygon) -> tuple[int, int]:
    """Return the width and height of a box in pixels, at least 1."""
    # Without numpy: it is called several times a line, and numpy takes 20 times as long.
    a, b, c, d = polygon.tolist()
    width = max(math.dist(a, b), math.dist(c, d))
    height = max(math.dist(b, c), math.dist(d, a))
    return max(1, int(width)), max(1, int(height))


def whole_page(height: int, width: int) -> Polygon:
    """Return the box of a whole page."""
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def parts_of(polygon: Polygon, parts: Numbers) -> Polygons:
    """Return parts of a box, N x 4 x 2, of shares of its width and height, N x 4.

    The shares are left, top, right and bottom of each part, counted from the box's first corner
    along its first side and its last one.
    """
    first, second, _, last = polygon
    shares = parts[:, [0, 1, 2, 1, 2, 3, 0, 3]].astype(np.float32).reshape(-1, 1, 2)
    matrix = np.stack([second - first, last - first, first], axis=1)
    corners: Polygons = cv2.transform(shares, matrix).reshape(-1, 4, 2)  # type: ignore[assignment]
    return corners


def rotation(angle: float) -> Numbers:
    """Return the matrix that removes a slope, in radians clockwise: `points @ matrix`."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def order_points_clockwise(corners: Polygon) -> Polygon:
    """Return the corners of a rectangle clockwise from the top left.

    The top side is the one that is level or nearest to it: of a high box that leans, the two
    leftmost corners may be at its left and its right side.
    """
    middle = corners.mean(axis=0)
    around = np.argsort(np.arctan2(*(corners - middle).T[::-1]), kind="stable")
    clockwise = corners[around]
    sides = np.roll(clockwise, -1, axis=0) - clockwise
    rightmost = sides[:, 0] / np.maximum(np.linalg.norm(sides, axis=1), 1e-9)
    return np.roll(clockwise, -int(rightmost.argmax()), axis=0).astype(np.float32)
