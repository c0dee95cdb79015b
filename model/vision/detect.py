"""Find the lines of a page: a DB network's probability map, turned into four-point boxes.

Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020; the
thresholds are those PaddleOCR publishes for these weights.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.inference import Network, Normalisation, Pixels
from model.vision.polygon import Numbers, Polygon, from_top_left, measure
from model.vision.scale import border, first_scale, map_size, next_scale
from model.weights import Weights

_LOOKS = 3  # at most, at one page
_COARSE = 0.5  # below it, pixels between those that are looked at count, too
_FAINT = 0.05  # probability from which there may be text that is too small to be read off
_MARGIN_PX = 32  # of the network's map, around all that may be text
_WORTHWHILE = 0.5  # share of a page below which the rest of it is left out
_TEXT = 0.3  # probability from which a pixel is text
_LINE = 0.5  # mean probability from which a box is a line
_GROWTH = 1.6  # text was trained shrunk; boxes are grown back by area * this / perimeter
_MIN_BOX_PX = 3.0  # on the network's map; less is noise
_PARENT = 3  # column of OpenCV's contour hierarchy; a hole's is its outline, an outline has none
_MAX_LINES = 1000  # what one page may cost


class Window(NamedTuple):
    """A part of a page, in its pixels; `right` and `bottom` lie outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Return how many pixels show in it."""
        return (self.right - self.left) * (self.bottom - self.top)

    def of(self, pixels: Pixels) -> Pixels:
        """Return what shows in it of a page."""
        return pixels[self.top : self.bottom, self.left : self.right]


class Look(NamedTuple):
    """The boxes found at one scale, and the part of the page outside which is nothing."""

    boxes: list[Polygon]
    rest: Window


class Detector:
    """A DB network and what belongs around it."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        """Load it for one thread, two, four and so on: a loaded network's number is fixed."""
        model = weights.file.read()
        numbers = {1 << power for power in range(threads.bit_length())} | {threads}
        self.networks = {each: Network(model, threads=each, shrinks=True) for each in numbers}
        self._normalisation = Normalisation(weights.mean, weights.std)

    def find_lines(self, pixels: Pixels, *, threads: int = 1) -> list[Polygon]:
        """Return the boxes of the lines on a page, H x W x 3, in its pixels, in no order.

        It takes at most so many threads.
        """
        network = self.networks[max(each for each in self.networks if each <= threads)]
        window = Window(0, 0, pixels.shape[1], pixels.shape[0])
        found: list[Polygon] = []
        scale: float | None = first_scale(*_with_border(pixels))
        for _ in range(_LOOKS):
            if scale is None:
                break
            found, rest = self.look(network, pixels, window, scale)
            heights = [min(measure(polygon)) for polygon in found]
            closer = next_scale(*_with_border(rest.of(pixels)), scale, heights) if found else None
            # A receipt on a scanner's glass: enlarge only what is written on. (A reduced look is
            # cheap, and with so few pixels around them letters would be found less well.)
            if closer and closer > scale and rest.area < _WORTHWHILE * window.area:
                window, scale = rest, closer
            else:
                scale = next_scale(*_with_border(window.of(pixels)), scale, heights)
        return found

    def look(self, network: Network, pixels: Pixels, window: Window, scale: float) -> Look:
        """Look at a part of a page, H x W x 3, at a scale; return what is in the page's pixels."""
        part = window.of(pixels)
        page, corner, scales = _on_map(part, scale)
        blob = np.empty((1, 3, *page.shape[:2]), np.float32)
        self._normalisation.into(page, blob)
        probability = network.run(blob)[0, 0]
        limit = np.array(part.shape[1::-1]) - 1
        start = np.array([window.left, window.top])
        found = [
            (np.clip((box - corner) / scales, 0, limit) + start).astype(np.float32)
            for box in boxes(probability)
        ]
        left, top, width, height = cv2.boundingRect((probability > _FAINT).astype(np.uint8))
        first = np.array([left, top]) - _MARGIN_PX
        last = np.array([left + width, top + height]) + _MARGIN_PX
        low, high = (
            np.clip((each - corner) / scales, 0, limit + 1).astype(int) + start
            for each in (first, last)
        )
        return Look(found, Window(*low.tolist(), *high.tolist()))


def _with_border(part: Pixels) -> tuple[int, int]:
    """Return the height and width of a part, H x W x 3, with the border it gets."""
    height, width = part.shape[:2]
    top, left = border(height, width)
    return height + 2 * top, width + 2 * left


def _on_map(part: Pixels, scale: float) -> tuple[Pixels, Numbers, Numbers]:
    """Return a part of a page, H x W x 3, as the network gets it, h x w x 3, at a scale.

    With it: where its upper left corner is on the map, and its exact scales, x and y both.
    """
    height, width = part.shape[:2]
    full_height, full_width = _with_border(part)
    map_height, map_width = map_size(full_height, full_width, scale)
    scales = np.array([map_width / full_width, map_height / full_height])
    # Shrunk before the border is added: a border on a strip can be a thousand times its size.
    inner = np.maximum(1, np.rint(scales * (width, height))).astype(int)
    how = cv2.INTER_AREA if scale < _COARSE else cv2.INTER_LINEAR
    small = cv2.resize(part, (int(inner[0]), int(inner[1])), interpolation=how)
    if small.shape[:2] == (map_height, map_width):  # no border: what follows takes longer than this
        return small, np.zeros(2), scales  # type: ignore[return-value]
    left, top = np.array([full_width - width, full_height - height]) // 2
    corner = np.floor(scales * (left, top)).astype(int)
    page = np.empty((map_height, map_width, 3), np.uint8)
    page[:] = np.median(small, axis=(0, 1))
    page[corner[1] : corner[1] + inner[1], corner[0] : corner[0] + inner[0]] = small
    return page, corner, scales


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


def _mean_inside(probability: npt.NDArray[np.float32], corners: Polygon) -> float:
    """Return the mean probability inside a box."""
    height, width = probability.shape
    low = np.clip(np.floor(corners.min(0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(corners.max(0)), 0, (width - 1, height - 1)).astype(int)
    inside = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - low).astype(np.int32)], (1,))
    window = probability[low[1] : high[1] + 1, low[0] : high[0] + 1]
    return float(cv2.mean(window, inside)[0])
