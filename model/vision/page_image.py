"""The image of a page that is returned with its lines, plain or with their boxes drawn over it."""

from collections.abc import Sequence

import cv2
import numpy as np

from model.options import PageImage
from model.vision.inference import Pixels
from model.vision.lines.line_reading import ReadLine

_LONGEST_PX = 65_500  # a side of a JPEG
# From a confidence on: a colour, RGB, that shows on white, on black and to colour-blind people, and
# the outline's width. Blue, amber, red.
_STYLES = ((0.9, (0, 114, 178), 1), (0.5, (190, 120, 0), 2), (0.0, (213, 40, 0), 2))
_PAGE_PX = 700  # of a page's shorter side for each pixel of an outline
_SPEED = 1  # of a PNG: the fastest compression; others take several times as long


def encoded(pixels: Pixels, lines: Sequence[ReadLine], image: PageImage, quality: int) -> bytes:
    """Return a page, H x W x 3, as a file; a page too long for one is made smaller."""
    page: Pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)  # type: ignore[assignment]
    if image is not PageImage.JPEG:
        _draw(page, lines)
    longest = max(page.shape[:2])
    if longest > _LONGEST_PX:
        scale = _LONGEST_PX / longest
        height, width = (max(1, int(side * scale)) for side in page.shape[:2])
        page = cv2.resize(page, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
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
