"""Cut off the empty sides of an image of one line.

The likelihood of a text falls with each empty step of the recogniser, and its confidence with it.
"""

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.crop import trim_loose
from model.vision.inference import Pixels

_INK = 0.1  # of the strongest contrast in a column or row: one with less is empty
_LEAST_PX = 10  # of the text's height: what is lower may be a dash
_LONG = 2.0  # least width in heights, of the image and of the text: others may be one character
_MARGIN = 0.5  # of the text's height, kept at each side


def without_margins(line: Pixels) -> Pixels:
    """Return an image of a line, H x W x 3, without most of the empty columns at its sides."""
    line = trim_loose(line)
    if line.shape[1] < _LONG * line.shape[0]:
        return line
    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)
    columns, rows = _inked(np.ptp(grey, axis=0)), _inked(np.ptp(grey, axis=1))
    if not columns.size or not rows.size:
        return line
    width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
    if height < _LEAST_PX or width < _LONG * height:
        return line
    margin = round(_MARGIN * height)
    return line[:, max(0, columns[0] - margin) : columns[-1] + 1 + margin]


def _inked(contrast: Pixels) -> npt.NDArray[np.signedinteger]:
    """Return the indices of the columns or rows with ink, of the contrast in each one."""
    return np.flatnonzero(contrast >= max(1, _INK * contrast.max(initial=0)))
