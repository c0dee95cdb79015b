"""The outlines of the shapes of a mask."""

import cv2
import numpy as np
import numpy.typing as npt

_MAX_OUTLINES = 1000  # as max_candidates in PaddleOCR's DBPostProcess; it bounds the time
_PARENT = 3  # column of OpenCV's contour hierarchy: the outline of a hole; an outline has none


def outlines(mask: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.int32]]:
    """Return the outlines of a mask's shapes, N x 1 x 2 each, but not those of their holes."""
    found, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return []
    outer = [each for each, links in zip(found, hierarchy[0], strict=True) if links[_PARENT] < 0]
    return outer[:_MAX_OUTLINES]  # type: ignore[return-value]
