"""Crop the lines of a page, straightened."""

import cv2
import numpy as np

from model.vision.inference import Pixels
from model.vision.ink import Grey
from model.vision.polygon import Polygon, width_and_height

_LOOSE = 2.5  # a box of more than this times the height of its text is trimmed
_MIN_TEXT_PX = 10  # what is lower may be a dash
_SHORT = 2.0  # widths of less than this times the height may be one character, such as 一
_MARGIN = 0.25  # of the text's height, kept above and below it
_EDGE = 25  # grey levels between neighbours in a row; the outline of a letter has more
_MIN_MARGIN_PX = 2
_MIN_EDGES = 3  # of a row that holds text; fewer are noise
_FEW_EDGES = 0.15  # of the richest row's edges; rows with fewer hold no text


def crop_line(pixels: Pixels, polygon: Polygon, *, sideways: bool) -> Pixels:
    """Return the content of a box, H x W x 3, as a line that runs from left to right.

    A `sideways` line, which runs up or down the page, is rotated by 90 degrees counter-clockwise.
    """
    width, height = width_and_height(polygon)
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


def text_rows(line: Pixels) -> slice:
    """Return the rows of a line, H x W x 3, without most of the empty ones around its text.

    Of a page of many thousands of pixels the detector sees a smaller copy, and its boxes can be
    four times as high as the letters, which are then too small for the recogniser. Other boxes
    keep their rows.
    """
    height, width = line.shape[:2]
    if height < _LOOSE * _MIN_TEXT_PX or width < _SHORT * height:
        return slice(0, height)
    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)
    edges = (cv2.absdiff(grey[:, 1:], grey[:, :-1]) > _EDGE).sum(axis=1)
    rows = np.flatnonzero(edges > max(_MIN_EDGES, _FEW_EDGES * edges.max(initial=0)))
    if not rows.size:
        return slice(0, height)
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    if not _MIN_TEXT_PX <= bottom - top <= height / _LOOSE:
        return slice(0, height)
    margin = max(_MIN_MARGIN_PX, round((bottom - top) * _MARGIN))
    return slice(max(0, top - margin), min(height, bottom + margin))


def rotate_180(line: Pixels) -> Pixels:
    """Return a line rotated by 180 degrees."""
    return cv2.rotate(line, cv2.ROTATE_180)  # type: ignore[return-value]


def crop_grey(pixels: Pixels, box: Polygon, beyond: float) -> Grey:
    """Return the content of a box in grey, H x W, upright for a box that begins at its text's top.

    It has more rows above and below: a share `beyond` of the box's height.
    """
    width, height = width_and_height(box)
    more = round(beyond * height)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    target[:, 1] += more
    transform = cv2.getPerspectiveTransform(box, target)
    line = cv2.warpPerspective(
        pixels,
        transform,
        (width, height + 2 * more),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)  # type: ignore[return-value]
