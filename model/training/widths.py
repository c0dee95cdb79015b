"""The widths of rendered lines and the number of lines in a batch of each.

There are few widths, each with one batch size: cuDNN plans anew for every shape. A line is
stretched to the nearest width, by a tenth at most.
"""

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

HEIGHT_PX = 48
STRIDE_PX = 8
WIDTHS_PX = (64, 80, 104, 128, 160, 192, 232, 280, 344, 416, 504, 608, 736, 896, 1088, 1320)
_WIDEST_PX = 1440
FILES, _MOST_LINES = 8, 1024  # of a batch
_LONGEST = 66  # characters


def batch_lines(width_px: int, batch_px: int) -> int:
    """Return the number of lines of a width in a batch, a multiple of its files."""
    return max(1, min(_MOST_LINES, batch_px // width_px) // FILES) * FILES


def file_lines(width_px: int, batch_px: int) -> int:
    """Return the number of lines of a width in a file."""
    return batch_lines(width_px, batch_px) // FILES


def longest_label(width_px: int) -> int:
    """Return the length of the longest label of a width."""
    return min(_LONGEST, width_px // STRIDE_PX)


def fit(image: Pixels) -> Pixels | None:
    """Return an image, H x W x 3, at one of the widths; None if it is too wide."""
    height, width = image.shape[:2]
    wanted = max(1, round(width * HEIGHT_PX / height))
    if wanted > _WIDEST_PX:
        return None
    nearest = min(WIDTHS_PX, key=lambda each: abs(np.log(each / wanted)))
    if wanted >= WIDTHS_PX[0]:
        return cv2.resize(image, (nearest, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
    padded = np.full((HEIGHT_PX, WIDTHS_PX[0], 3), 128, np.uint8)  # as in the service
    padded[:, :wanted] = cv2.resize(image, (wanted, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
    return padded


def steps_needed(labels: list[int]) -> int:
    """Return the number of steps that CTC needs: one more between two equal neighbours."""
    return len(labels) + sum(one == other for one, other in pairwise(labels))
