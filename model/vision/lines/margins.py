"""Cut off the empty sides of an image of one line.

The likelihood of a text falls with each empty step of the recogniser, and its confidence with it.
"""

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.crop import text_rows
from model.vision.inference import Pixels

_INK = 0.1  # of the strongest contrast in a column or row: one with less is empty
_LEAST_PX = 10  # of the text's height: what is lower may be a dash
_LONG = 2.0  # least width in heights, of the image and of the text: others may be one character
_MARGIN = 0.5  # of the text's height, kept at each side


def text_part(image: Pixels) -> tuple[slice, slice]:
    """Return the rows and columns of an image of a line, H x W x 3, without most of its margins."""
    rows = text_rows(image)
    return rows, _text_columns(image[rows])


def _text_columns(line: Pixels) -> slice:
    """Return the columns of a line, H x W x 3, without most of the empty ones at its sides."""
    whole = slice(0, line.shape[1])
    if line.shape[1] < _LONG * line.shape[0]:
        return whole
    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)
    columns, rows = _inked(np.ptp(grey, axis=0)), _inked(np.ptp(grey, axis=1))
    if not columns.size or not rows.size:
        return whole
    width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
    if height < _LEAST_PX or width < _LONG * height:
        return whole
    margin = round(_MARGIN * height)
    return slice(max(0, columns[0] - margin), min(line.shape[1], columns[-1] + 1 + margin))


def _inked(contrast: Pixels) -> npt.NDArray[np.signedinteger]:
    """Return the indices of the columns or rows with ink, of the contrast in each one."""
    return np.flatnonzero(contrast >= max(1, _INK * contrast.max(initial=0)))
