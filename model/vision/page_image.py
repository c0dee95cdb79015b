"""The image of a page that is returned with its lines, plain or with their boxes drawn over it."""

from collections.abc import Sequence

import cv2
import numpy as np

from model.options import PageImage
from model.vision.inference import Pixels
from model.vision.lines.line_reading import ReadLine

# From a confidence on: a colour, RGB, that shows on white, on black and to colour-blind people, and
# the outline's width. Blue, amber, red.
_STYLES = ((0.9, (0, 114, 178), 1), (0.5, (190, 120, 0), 2), (0.0, (213, 40, 0), 2))
_PAGE_PX = 700  # of a page's shorter side for each pixel of an outline
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
    """Draw the boxes of lines over a page, H x W x 3 BGR."""
    thin = max(1, round(min(page.shape[:2]) / _PAGE_PX))
    for line in lines:
        box = np.rint(line.polygon).astype(np.int32)
        _, colour, width = next(style for style in _STYLES if line.confidence >= style[0])
        cv2.polylines(page, [box], True, colour[::-1], width * thin, cv2.LINE_AA)  # noqa: FBT003
