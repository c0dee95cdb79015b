"""Detect the lines of a page: a DB network's probability map, converted to four-point boxes.

Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020, with the
thresholds that PaddleOCR publishes for these weights.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.inference import Network, Normalisation, Pixels
from model.vision.polygon import Numbers, Polygon, order_points_clockwise, width_and_height
from model.vision.scale import border, first_scale, map_size, next_scale
from model.weights import Weights

_MAX_PASSES = 3  # over one page
_AREA_SCALE = 0.5  # below this scale, pixels are averaged
_MAYBE_TEXT = 0.05  # probability from which a pixel may be text that is too small for this pass
_MARGIN_PX = 32  # of the map, around all pixels that may be text
# The next pass leaves out the blank part of a page if the rest is less than this share of it.
_MAX_REGION = 0.5
# As in PaddleOCR's DBPostProcess: thresh, box_thresh, unclip_ratio, min_size, max_candidates.
_THRESHOLD = 0.3  # probability from which a pixel is text
_BOX_THRESHOLD = 0.5  # mean probability from which a box is a line
_UNCLIP_RATIO = 1.6  # in training, boxes were shrunk; they grow by area * this / perimeter
_MIN_SIZE_PX = 3.0  # on the map; smaller boxes are noise
_MAX_CANDIDATES = 1000
_PARENT = 3  # column of OpenCV's contour hierarchy: the outline of a hole; an outline has none


class Region(NamedTuple):
    """A part of a page, in px of the page; `right` and `bottom` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """The number of its pixels."""
        return (self.right - self.left) * (self.bottom - self.top)

    def crop(self, pixels: Pixels) -> Pixels:
        """Return this part of a page."""
        return pixels[self.top : self.bottom, self.left : self.right]


class Detection(NamedTuple):
    """The boxes found in one pass, and the part of the page that has all the text."""

    boxes: list[Polygon]
    region: Region


class Detector:
    """A DB network with its preprocessing and postprocessing."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        """Load the network for one thread, two, four and so on: the number is fixed once loaded."""
        model = weights.file.read()
        numbers = {1 << power for power in range(threads.bit_length())} | {threads}
        self.networks = {each: Network(model, threads=each, shrinks=True) for each in numbers}
        self._normalisation = Normalisation(weights.mean, weights.std)

    def find_lines(self, pixels: Pixels, *, threads: int = 1) -> list[Polygon]:
        """Return the boxes of the lines of a page, H x W x 3, in px of the page, in any order."""
        network = self.networks[max(each for each in self.networks if each <= threads)]
        region = Region(0, 0, pixels.shape[1], pixels.shape[0])
        found: list[Polygon] = []
        scale: float | None = first_scale(*_with_border(pixels))
        for _ in range(_MAX_PASSES):
            if scale is None:
                break
            found, text = self.detect_at(network, pixels, region, scale)
            heights = [min(width_and_height(polygon)) for polygon in found]
            larger = next_scale(*_with_border(text.crop(pixels)), scale, heights) if found else None
            # A receipt on a scanner's glass: enlarge only the part with text. (A pass at a smaller
            # scale is fast, and letters with few pixels around them are found less well.)
            if larger and larger > scale and text.area < _MAX_REGION * region.area:
                region, scale = text, larger
            else:
                scale = next_scale(*_with_border(region.crop(pixels)), scale, heights)
        return found

    def detect_at(
        self, network: Network, pixels: Pixels, region: Region, scale: float
    ) -> Detection:
        """Run one pass over a part of a page, H x W x 3; the result is in px of the page."""
        part = region.crop(pixels)
        page, corner, scales = _on_map(part, scale)
        blob = np.empty((1, 3, *page.shape[:2]), np.float32)
        self._normalisation.write(page, blob)
        probability = network.run(blob)[0, 0]
        limit = np.array(part.shape[1::-1]) - 1
        start = np.array([region.left, region.top])
        found = [
            (np.clip((box - corner) / scales, 0, limit) + start).astype(np.float32)
            for box in boxes(probability)
        ]
        left, top, width, height = cv2.boundingRect((probability > _MAYBE_TEXT).astype(np.uint8))
        first = np.array([left, top]) - _MARGIN_PX
        last = np.array([left + width, top + height]) + _MARGIN_PX
        low, high = (
            np.clip((each - corner) / scales, 0, limit + 1).astype(int) + start
            for each in (first, last)
        )
        return Detection(found, Region(*low.tolist(), *high.tolist()))


def _with_border(part: Pixels) -> tuple[int, int]:
    """Return the height and width of a part, H x W x 3, with its border."""
    height, width = part.shape[:2]
    top, left = border(height, width)
    return height + 2 * top, width + 2 * left


def _on_map(part: Pixels, scale: float) -> tuple[Pixels, Numbers, Numbers]:
    """Return a part of a page, H x W x 3, resized for the network, h x w x 3.

    The second value is its top left corner on the map, the third its exact scale in x and y.
    """
    height, width = part.shape[:2]
    full_height, full_width = _with_border(part)
    map_height, map_width = map_size(full_height, full_width, scale)
    scales = np.array([map_width / full_width, map_height / full_height])
    # Resized before the border is added: the border of a strip can be a thousand times its size.
    inner = np.maximum(1, np.rint(scales * (width, height))).astype(int)
    interpolation = cv2.INTER_AREA if scale < _AREA_SCALE else cv2.INTER_LINEAR
    resized = cv2.resize(part, (int(inner[0]), int(inner[1])), interpolation=interpolation)
    if resized.shape[:2] == (map_height, map_width):  # without a border the rest is not needed
        return resized, np.zeros(2), scales  # type: ignore[return-value]
    left, top = np.array([full_width - width, full_height - height]) // 2
    corner = np.floor(scales * (left, top)).astype(int)
    page = np.empty((map_height, map_width, 3), np.uint8)
    page[:] = np.median(resized, axis=(0, 1))
    page[corner[1] : corner[1] + inner[1], corner[0] : corner[0] + inner[0]] = resized
    return page, corner, scales


def boxes(probability: npt.NDArray[np.float32]) -> Iterator[Polygon]:
    """Yield the boxes of the lines in a probability map, H x W, in px of the map."""
    # Outlines only: a hole would be a second box inside its line.
    mask = cv2.dilate((probability > _THRESHOLD).astype(np.uint8), np.ones((2, 2), np.uint8))
    if not mask.any():
        return
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outlines = [c for c, links in zip(contours, hierarchy[0], strict=True) if links[_PARENT] < 0]
    for contour in outlines[:_MAX_CANDIDATES]:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _MIN_SIZE_PX:
            continue
        corners = cv2.boxPoints((centre, (width, height), angle))
        if _box_score(probability, corners) < _BOX_THRESHOLD:  # type: ignore[arg-type]
            continue
        # DB offsets the outline by d; for a rectangle, each side becomes 2 d longer.
        grown = 2 * (width * height * _UNCLIP_RATIO / (2 * (width + height)))
        yield order_points_clockwise(
            cv2.boxPoints((centre, (width + grown, height + grown), angle))  # type: ignore[arg-type]
        )


def _box_score(probability: npt.NDArray[np.float32], corners: Polygon) -> float:
    """Return the mean probability inside a box, in px of the map."""
    height, width = probability.shape
    low = np.clip(np.floor(corners.min(0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(corners.max(0)), 0, (width - 1, height - 1)).astype(int)
    inside = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - low).astype(np.int32)], (1,))
    window = probability[low[1] : high[1] + 1, low[0] : high[0] + 1]
    return float(cv2.mean(window, inside)[0])
