"""Lift a tiled watermark off a page: pale text across level, darker lines.

The detector finds its pieces as boxes between the lines, and the lines that it crosses as pieces.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.angles import degrees_to_axis, weighted_median
from model.vision.crop import crop_line
from model.vision.inference import Mask, Pixels
from model.vision.overprint.lifted import Lifted
from model.vision.polygon import Polygon, whole_page, width_and_height

Values = npt.NDArray[np.float64]

_MIN_ASPECT = 1.5  # of a box that shows its direction
_TILTED = 8.0  # degrees between a piece of a watermark and the lines
_LEVEL = 4.0  # degrees between the lines
_LONG = 4  # width of a pale line, in heights
_MIN_PIECES = 2
_INK = 20  # grey levels between a line's paper and its ink, at least
_CORE = 25  # percentile of a line's ink, the core of its strokes
_DARK, _PALE = 0.75, 0.7  # of the contrast of the darkest lines; a line's, and a piece's
_MOSTLY = 0.4  # of the dark lines, which are level; some boxes join a line and a piece
_ALIKE = 30  # grey levels between the pieces of one watermark
_MARGIN = 12  # grey levels: pieces overlap, and JPEG adds noise
_MIN_ROOM = 40  # grey levels between watermark and text
_MAX_MEASURED = 24  # boxes of each direction


def lift_watermark(lifted: Lifted, polygons: Sequence[Polygon]) -> Lifted:
    """Return a page, on which these boxes were found, without its watermark; the same without one.

    All of the page counts as changed then: a line is read on the original, too.
    """
    boxes = _measurable(polygons)
    if not boxes:
        return lifted
    slopes = np.array([_slope(each) for each in boxes])
    levels = np.array([_paper_and_ink(lifted.pixels, each) for each in boxes])
    pieces, lines = _pieces(slopes, levels, _widths(boxes))
    if pieces.sum() < _MIN_PIECES:
        return lifted
    paper, text = np.median(levels[lines], axis=0)
    watermark = float(np.median(levels[pieces, 1])) - _MARGIN
    if watermark - text < _MIN_ROOM:
        return lifted
    height, width = lifted.pixels.shape[:2]
    page = whole_page(height, width).astype(np.int32)
    return Lifted(_without(lifted.pixels, paper, watermark, text), [*lifted.changed, page])


def join_pale_lines(found: list[Polygon], before: Sequence[Polygon]) -> list[Polygon]:
    """Return the boxes of a page without watermark, and the level ones that only it had before.

    A caption in grey may be as pale as a watermark.
    """
    if not found:
        return list(before)
    level = np.median([_slope(each) for each in found])
    taken = [(each.min(0), each.max(0)) for each in found]
    return found + [
        each
        for each in before
        if width_and_height(each)[0] >= _LONG * width_and_height(each)[1]
        and abs(_slope(each) - level) < _LEVEL
        and not any((low < each.max(0)).all() and (each.min(0) < high).all() for low, high in taken)
    ]


def _measurable(polygons: Sequence[Polygon]) -> list[Polygon]:
    """Return the longest boxes of each of two directions; none if all run in one.

    Either may be the watermark's.
    """
    sizes = [width_and_height(each) for each in polygons]
    long = [
        each
        for each, (wide, high) in zip(polygons, sizes, strict=True)
        if max(wide, high) >= _MIN_ASPECT * min(wide, high)
    ]
    long.sort(key=lambda each: -max(width_and_height(each)))
    if len(long) <= _MIN_PIECES:
        return []
    slopes = np.array([_slope(each) for each in long])
    tilted = np.abs(slopes - weighted_median(slopes, _widths(long))) >= _TILTED
    if np.count_nonzero(tilted) < _MIN_PIECES:
        return []
    return [
        long[index]
        for group in (tilted, ~tilted)
        for index in np.flatnonzero(group)[:_MAX_MEASURED]
    ]


def _widths(polygons: Sequence[Polygon]) -> Values:
    """Return the widths of boxes, in px."""
    return np.array([width_and_height(each)[0] for each in polygons], float)


def _slope(polygon: Polygon) -> float:
    """Return the slope of a box against the nearest axis, -45 to 45 degrees."""
    x, y = polygon[1] - polygon[0] + polygon[2] - polygon[3]
    return degrees_to_axis(x, y)


def _paper_and_ink(pixels: Pixels, polygon: Polygon) -> tuple[float, float]:
    """Return the grey levels of a box's paper and of the core of its strokes."""
    grey = cv2.cvtColor(crop_line(pixels, polygon, sideways=False), cv2.COLOR_RGB2GRAY)
    paper = float(np.percentile(grey, 80))
    ink = grey[grey < paper - _INK]
    return paper, float(np.percentile(ink, _CORE)) if ink.size else paper


def _pieces(slopes: Values, levels: Values, widths: Values) -> tuple[Mask, Mask]:
    """Return which boxes are pieces of a watermark, and which are dark, level lines."""
    contrast = levels[:, 0] - levels[:, 1]
    most = np.percentile(contrast, 90)
    dark = contrast >= _DARK * most
    away = slopes - weighted_median(slopes[dark], widths[dark])
    lines = dark & (np.abs(away) < _LEVEL)
    pale = (contrast < _PALE * most) & (np.abs(away) >= _TILTED)
    if widths[lines].sum() < _MOSTLY * widths[dark].sum() or not pale.any():
        return np.zeros_like(pale), lines
    pale &= np.sign(away) == np.sign(np.median(away[pale]))
    return pale & (np.abs(levels[:, 1] - np.median(levels[pale, 1])) < _ALIKE), lines


def _without(pixels: Pixels, paper: float, watermark: float, text: float) -> Pixels:
    """Return a page in grey, H x W x 3, with what is paler than the watermark as paper."""
    share = np.clip((watermark - np.arange(256)) / (watermark - text), 0, 1)
    table = np.rint(paper + share * (text - paper)).astype(np.uint8)
    grey = cv2.LUT(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), table)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]
