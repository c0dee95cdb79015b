"""The outlines of a mask's shapes."""

import cv2
import numpy as np

from model.vision.outlines import outlines


def test_a_hole_is_no_shape() -> None:
    """A ring has one outline, and what lies within it its own."""
    mask = np.zeros((60, 60), np.uint8)
    assert outlines(mask) == []
    mask[5:55, 5:55] = 1
    mask[10:50, 10:50] = 0
    mask[25:35, 25:35] = 1
    assert sorted(cv2.boundingRect(each)[2] for each in outlines(mask)) == [10, 50]
