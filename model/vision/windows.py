"""Lines longer than any the networks saw: read in windows that overlap, joined without loss.

What is joined are the probabilities, not texts: inside an overlap both windows see the same
columns, and the seam is laid where both are surest that no character is.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.vision.ctc import BLANK

Probabilities = npt.NDArray[np.float32]  # T x C

_WINDOW_PX = 1280
_OVERLAP_PX = 192  # at least; at four times the height of a line it holds a few characters
_LONGEST_PX = 1536  # of the lines trained on: up to this a line is read whole
_EDGE = 0.25  # of an overlap, on either side: what stands there is cut off in one of the windows


def windows(width_px: int, step_px: int) -> list[tuple[int, int]]:
    """Return the first column of each window and the one after its last, multiples of `step_px`."""
    if width_px <= _LONGEST_PX:
        return [(0, width_px)]
    count = -(-(width_px - _OVERLAP_PX) // (_WINDOW_PX - _OVERLAP_PX))
    last = width_px - _WINDOW_PX
    starts = [round(last * number / (count - 1) / step_px) * step_px for number in range(count)]
    return [(start, start + _WINDOW_PX) for start in starts]


def joined(parts: Sequence[Probabilities], spans: Sequence[tuple[int, int]]) -> Probabilities:
    """Return the probabilities of the whole line from those of its windows."""
    whole = parts[0]
    step_px = (spans[0][1] - spans[0][0]) / len(whole)
    for part, (first_px, _) in zip(parts[1:], spans[1:], strict=True):
        first = round(first_px / step_px)
        seam = _seam(whole[first:], part)
        whole = np.concatenate([whole[: first + seam], part[seam:]])
    return whole


def _seam(before: Probabilities, after: Probabilities) -> int:
    """Return the step of an overlap, its first being 0, from which on the later window counts."""
    steps = len(before)
    edge = round(steps * _EDGE)
    blank = before[:, BLANK] * after[:steps, BLANK]
    return edge + int(blank[edge : max(edge + 1, steps - edge)].argmax())
