"""Read lines that are longer than the training lines in overlapping windows, and merge the output.

The probabilities are merged, not the texts: both windows contain the columns of their overlap, and
the output is switched from one to the other at the step where both are most certain of a blank.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.vision.lines.ctc import BLANK

Probabilities = npt.NDArray[np.float32]  # T x C

_WINDOW_PX = 1280
_OVERLAP_PX = 192  # at least; four times a line's height, so it contains a few characters
_LONGEST_PX = 1536  # of the training lines; a line up to this width is read in one piece
# Share of an overlap, at each end, in which a character may be cut off by one of the windows.
_EDGE = 0.25


def windows(width_px: int, step_px: int) -> list[tuple[int, int]]:
    """Return the first column of each window and the one after its last; multiples of `step_px`."""
    if width_px <= _LONGEST_PX:
        return [(0, width_px)]
    count = -(-(width_px - _OVERLAP_PX) // (_WINDOW_PX - _OVERLAP_PX))
    last = width_px - _WINDOW_PX
    starts = [round(last * number / (count - 1) / step_px) * step_px for number in range(count)]
    return [(start, start + _WINDOW_PX) for start in starts]


def merge(parts: Sequence[Probabilities], spans: Sequence[tuple[int, int]]) -> Probabilities:
    """Return the probabilities of a line from those of its windows."""
    whole = parts[0]
    step_px = (spans[0][1] - spans[0][0]) / len(whole)
    for part, (first_px, _) in zip(parts[1:], spans[1:], strict=True):
        first = round(first_px / step_px)
        switch = _switch(whole[first:], part)
        whole = np.concatenate([whole[: first + switch], part[switch:]])
    return whole


def _switch(before: Probabilities, after: Probabilities) -> int:
    """Return the step of an overlap, from 0, at which the output of the later window starts."""
    steps = len(before)
    edge = round(steps * _EDGE)
    blank = before[:, BLANK] * after[:steps, BLANK]
    return edge + int(blank[edge : max(edge + 1, steps - edge)].argmax())
