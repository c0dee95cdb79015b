"""Find the lines of a page: a DB network's probability map, turned into four-point boxes.

Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020; the
thresholds are those PaddleOCR publishes for these weights.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from model.inference import Network, Normalisation, Pixels
from model.weights import Weights

Polygon = npt.NDArray[np.float32]  # 4 x 2, x and y, clockwise from top left

_MIN_SIDE_PX = 736  # pages are enlarged until their short side has this
_MAX_SIDE_PX = 2000  # and never beyond this on their long side, which bounds time and memory
_MAX_ENLARGEMENT = 3.0  # beyond it letters of a small image grow larger than any the network saw
_STRIDE_PX = 32  # the network halves its input five times
_MAX_ASPECT = 8  # slimmer images get a border: the network has seen no text without surroundings
_MIN_HEIGHT_PX = 30
_TEXT = 0.3  # probability from which a pixel is text
_LINE = 0.5  # mean probability from which a box is a line
_GROWTH = 1.6  # text was trained shrunk; boxes are grown back by area * this / perimeter
_MIN_BOX_PX = 3.0  # on the network's map; less is noise
_PARENT = 3  # column of OpenCV's contour hierarchy; a hole's is its outline, an outline has none
_MAX_LINES = 1000  # what one page may cost


class Detector:
    """A DB network and what belongs around it."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        self._network = Network(weights.file.read(), threads=threads, shrinks=True)
        self._normalisation = Normalisation(weights.mean, weights.std)

    def find_lines(self, pixels: Pixels) -> list[Polygon]:
        """Return the boxes of the lines on a page, H x W x 3, in its pixels, in no order."""
        height, width = pixels.shape[:2]
        top, left = border(height, width)
        full = np.array([width + 2 * left, height + 2 * top])
        map_height, map_width = map_size(int(full[1]), int(full[0]))
        scale = np.array([map_width, map_height]) / full
        # Shrunk before the border is added: a border on a strip can be a thousand times its size.
        inner = np.maximum(1, np.rint(scale * (width, height))).astype(int)
        small = cv2.resize(pixels, (int(inner[0]), int(inner[1])), interpolation=cv2.INTER_LINEAR)
        corner = np.floor(scale * (left, top)).astype(int)
        page = np.empty((map_height, map_width, 3), np.uint8)
        page[:] = np.median(small, axis=(0, 1))
        page[corner[1] : corner[1] + inner[1], corner[0] : corner[0] + inner[0]] = small
        blob = np.empty((1, 3, map_height, map_width), np.float32)
        self._normalisation.into(page, blob)
        probability = self._network.run(blob)[0, 0]
        limit = np.array([width - 1, height - 1])
        return [
            np.clip((box - corner) / scale, 0, limit).astype(np.float32)
            for box in boxes(probability)
        ]


def border(height: int, width: int) -> tuple[int, int]:
    """Return the rows to add above and below, and the columns left and right."""
    top = max(0, max(width // _MAX_ASPECT, _MIN_HEIGHT_PX) - height // 2)
    left = max(0, max(height // _MAX_ASPECT, _MIN_HEIGHT_PX) - width // 2)
    top = top if height <= _MIN_HEIGHT_PX or width > _MAX_ASPECT * height else 0
    left = left if width <= _MIN_HEIGHT_PX or height > _MAX_ASPECT * width else 0
    return top, left


def map_size(height: int, width: int) -> tuple[int, int]:
    """Return the height and width the network gets: multiples of its stride, within the limits."""
    scale = max(1.0, _MIN_SIDE_PX / min(height, width))
    scale = min(scale, _MAX_ENLARGEMENT, _MAX_SIDE_PX / max(height, width))

    def fit(side: int) -> int:
        return max(_STRIDE_PX, round(side * scale / _STRIDE_PX) * _STRIDE_PX)

    return fit(height), fit(width)


def boxes(probability: npt.NDArray[np.float32]) -> Iterator[Polygon]:
    """Yield the boxes of the lines on a probability map, H x W, in its pixels."""
    # Outlines without holes: a hole would be a second box inside its line.
    mask = cv2.dilate((probability > _TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    if not mask.any():
        return
    contours, family = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outlines = [c for c, kin in zip(contours, family[0], strict=True) if kin[_PARENT] < 0]
    for contour in outlines[:_MAX_LINES]:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _MIN_BOX_PX:
            continue
        corners = cv2.boxPoints((centre, (width, height), angle))
        if _mean_inside(probability, corners) < _LINE:  # type: ignore[arg-type]
            continue
        # Offsetting a rectangle's outline by d, as DB does, is the rectangle with 2 d more.
        grown = 2 * (width * height * _GROWTH / (2 * (width + height)))
        yield from_top_left(
            cv2.boxPoints((centre, (width + grown, height + grown), angle))  # type: ignore[arg-type]
        )


def from_top_left(corners: Polygon) -> Polygon:
    """Return the corners of a rectangle clockwise from its top left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]]).astype(np.float32)


def _mean_inside(probability: npt.NDArray[np.float32], corners: Polygon) -> float:
    """Return the mean probability inside a box."""
    height, width = probability.shape
    low = np.clip(np.floor(corners.min(0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(corners.max(0)), 0, (width - 1, height - 1)).astype(int)
    inside = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - low).astype(np.int32)], (1,))
    window = probability[low[1] : high[1] + 1, low[0] : high[0] + 1]
    return float(cv2.mean(window, inside)[0])
