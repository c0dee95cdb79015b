"""Detect the lines of a page, each as a four-point box."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from model.vision.detection.boxes import boxes
from model.vision.detection.contrast import stretch
from model.vision.detection.lone_ink import with_lone_ink
from model.vision.detection.passes import merge_closer, merge_farther
from model.vision.detection.region import Region, whole
from model.vision.detection.scale import (
    border,
    first_scale,
    map_size,
    max_scale,
    next_scale,
    tile_length,
)
from model.vision.detection.skew import level, skew_degrees
from model.vision.detection.tiles import join, tiles
from model.vision.inference import Network, Normalisation, Pixels
from model.vision.polygon import Numbers, Polygon, width_and_height
from model.weights import Weights

_MAX_PASSES = 3  # over one page
_AREA_SCALE = 0.5  # below this scale, pixels are averaged
_MAYBE_TEXT = 0.05  # probability from which a pixel may be text that is too small for this pass
_MARGIN_PX = 32  # of the map, around all pixels that may be text
# The next pass leaves out the blank part of a page if the rest is less than this share of it.
_MAX_REGION = 0.5


class Detection(NamedTuple):
    """The boxes found in one pass, and the part of the page that has all the text."""

    boxes: list[Polygon]
    region: Region


class Found(NamedTuple):
    """The boxes of a part of a page; the length of smaller parts, if letters are too low in it."""

    boxes: list[Polygon]
    tile_length: int | None


class Detector:
    """A DB network with its preprocessing and postprocessing."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        """Load the network for one thread, two, four and so on: the number is fixed once loaded."""
        model = weights.file.read()
        numbers = {1 << power for power in range(threads.bit_length())} | {threads}
        self.networks = {each: Network(model, threads=each, shrinks=True) for each in numbers}
        self._normalisation = Normalisation(weights.mean, weights.std)

    def find_lines(
        self, pixels: Pixels, *, threads: int = 1, check: Callable[[], None] = lambda: None
    ) -> list[Polygon]:
        """Return the boxes of the lines of a page, H x W x 3, in px of the page, in any order.

        `check` is called between the tiles of a page; what it raises ends the search.
        """
        network = self.networks[max(each for each in self.networks if each <= threads)]
        parts = tiles(*pixels.shape[:2])
        first = self._find_lines_in(network, pixels, parts[0])
        if first.tile_length is None:
            found = self._with_others(network, pixels, parts, first.boxes, check)
        else:
            check()
            height, width = pixels.shape[:2]
            parts = tiles(height, width, first.tile_length)
            closer = self._find_lines_in(network, pixels, parts[0]).boxes
            closer = self._with_others(network, pixels, parts, closer, check)
            found = merge_closer(first.boxes, closer)
        return with_lone_ink(pixels, found)

    def _with_others(
        self,
        network: Network,
        pixels: Pixels,
        parts: Sequence[Region],
        found: list[Polygon],
        check: Callable[[], None],
    ) -> list[Polygon]:
        """Return the boxes of the first part of a page, and those of the others."""
        for tile, following in pairwise(parts):
            check()
            latest = self._find_lines_in(network, pixels, following)
            found = join(found, latest.boxes, tile, following)
        return found

    def _find_lines_in(self, network: Network, pixels: Pixels, region: Region) -> Found:
        """Return the lines of a part of a page, H x W x 3, in px of the page."""
        found: list[Polygon] = []
        scale = first_scale(*_with_border(region.crop(pixels)))
        before = scale
        for following_passes in reversed(range(_MAX_PASSES)):
            latest, text = self.detect_at(network, pixels, region, scale)
            heights = [min(width_and_height(polygon)) for polygon in latest]
            merge = merge_closer if scale >= before else merge_farther
            earlier, found = found, merge(found, latest)
            nothing_new = scale < before and {*map(id, found)} <= {*map(id, earlier)}
            if nothing_new or not following_passes:
                break
            following = next_scale(*_with_border(region.crop(pixels)), scale, heights)
            larger = (
                next_scale(*_with_border(text.crop(pixels)), scale, heights) if latest else None
            )
            # A receipt on a scanner's glass: enlarge only the part with text. (A pass at a smaller
            # scale is fast, and letters with few pixels around them are found less well.)
            if larger and larger > scale and text.area < _MAX_REGION * region.area:
                region, following = text, larger
            if not following or not _worthwhile(before, scale, following):
                break
            before, scale = scale, following
        height, width = region.crop(pixels).shape[:2]
        length = tile_length(height, width, scale, heights)
        return Found(self._find_skewed(network, pixels, region, scale, found), length)

    def _find_skewed(
        self,
        network: Network,
        pixels: Pixels,
        region: Region,
        scale: float,
        found: list[Polygon],
    ) -> list[Polygon]:
        """Return the boxes of a part of a page, found once more in level lines if it is skewed."""
        degrees = skew_degrees(found)
        if not degrees:
            return found
        turned, back = level(region.crop(pixels), scale, degrees)
        reduced = min(1.0, max_scale(*turned.shape[:2]))
        start = np.array([region.left, region.top], np.float32)
        # Not clipped: a corner moved alone would make a rectangle of another shape of the box.
        boxes_back = [
            (cv2.transform(box[None], back)[0] + start).astype(np.float32)
            for box in self.detect_at(network, turned, whole(turned), reduced).boxes
        ]
        return merge_closer(found, boxes_back)

    def detect_at(
        self, network: Network, pixels: Pixels, region: Region, scale: float
    ) -> Detection:
        """Run one pass over a part of a page, H x W x 3; the result is in px of the page."""
        part = region.crop(pixels)
        page, corner, scales = _on_map(part, scale)
        blob = np.empty((1, 3, *page.shape[:2]), np.float32)
        self._normalisation.write(stretch(page), blob)
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


def _worthwhile(before: float, scale: float, following: float) -> bool:
    """Return whether a pass at the scale that follows may find more, after two at other scales.

    A page that was reduced is not enlarged again, nor an enlarged one reduced a little.
    """
    if scale < before:
        return following < scale
    if scale == before:  # the first pass
        return True
    return not scale / 2 < following < scale


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
