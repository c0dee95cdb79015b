"""The end of a line: a detector's box often ends inside the last mark, such as a full stop."""

import math

import numpy as np

from model.vision.inference import Pixels
from model.vision.lines.directions import Direction
from model.vision.polygon import Polygon

_BEYOND = 0.15  # of a line's height, by which its end is extended
# The corners at a line's beginning, and those at its end, in the same order.
_ENDS = {
    Direction.UPRIGHT: ((0, 3), (1, 2)),
    Direction.UPSIDE_DOWN: ((1, 2), (0, 3)),
    Direction.DOWN: ((0, 1), (3, 2)),
    Direction.UP: ((3, 2), (0, 1)),
}


def with_whole_end(polygon: Polygon, direction: Direction, pixels: Pixels) -> Polygon:
    """Return the box of a line, 4 x 2, with its last mark.

    A box that is not longer than high, or ends at the edge of the page, H x W x 3, is returned as
    it is.
    """
    first, last = (list(corners) for corners in _ENDS[direction])
    along = polygon[last[0]] - polygon[first[0]]
    length = math.hypot(*along.tolist())
    height = math.dist(*polygon[first].tolist())
    edge = np.array(pixels.shape[1::-1]) - 1
    is_cut = (polygon[last] <= 0).any() or (polygon[last] >= edge).any()
    if length <= height or is_cut:
        return polygon
    extended = polygon.copy()
    extended[last] += along * (_BEYOND * height / length)
    return extended
