"""The image of a page that is returned with its lines, plain or with their boxes drawn over it."""

from collections.abc import Sequence

import cv2
import numpy as np

from model.options import PageImage
from model.vision.inference import Pixels
from model.vision.lines.line_reading import ReadLine
from model.vision.polygon import Polygon, width_and_height

# From a confidence on: a colour, RGB, that shows on white, on black and to colour-blind people, and
# the outline's width. Blue, amber, red.
_STYLES = ((0.9, (0, 114, 178), 1), (0.5, (190, 120, 0), 2), (0.0, (213, 40, 0), 2))
_HEIGHTS = 30  # px of a line's height for each pixel of its outline
_SPEED = 1  # of a PNG: the fastest compression; others take several times as long


def encoded(
    pixels: Pixels,
    lines: Sequence[ReadLine],
    image: PageImage,
    size: tuple[int, int],
    quality: int,
) -> bytes:
    """Return a page, H x W x 3, as a file of this width and height."""
    page: Pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)  # type: ignore[assignment]
    if image is not PageImage.JPEG:
        _draw(page, lines)
    if page.shape[1::-1] != size:
        page = cv2.resize(page, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if image is PageImage.ANNOTATED_PNG:
        _, file = cv2.imencode(".png", page, (cv2.IMWRITE_PNG_COMPRESSION, _SPEED))
    else:
        _, file = cv2.imencode(".jpg", page, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return file.tobytes()


def _draw(page: Pixels, lines: Sequence[ReadLine]) -> None:
    """Draw the boxes of lines over a page, H x W x 3 BGR, around the letters."""
    for line in lines:
        thin = max(1, round(min(width_and_height(line.polygon)) / _HEIGHTS))
        _, colour, times = next(style for style in _STYLES if line.confidence >= style[0])
        box = np.rint(_grown(line.polygon, times * thin)).astype(np.int32)
        cv2.polylines(page, [box], True, colour[::-1], times * thin, cv2.LINE_AA)  # noqa: FBT003


def _grown(polygon: Polygon, px: float) -> Polygon:
    """Return a box that is larger by some pixels on each side."""
    along, down = polygon[1] - polygon[0], polygon[3] - polygon[0]
    along, down = (side * (px / max(1.0, float(np.hypot(*side)))) for side in (along, down))
    grown: Polygon = polygon + np.stack([-along - down, along - down, along + down, down - along])
    return grown
