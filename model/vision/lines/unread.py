"""Find characters of a line that were not read: ink between two characters that are.

A character that is not in the charset is often left out, and the network is as certain of the rest
of the line as of any other.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.vision.lines.characters import is_hanzi
from model.vision.lines.ctc import DecodedText

# Of a line of 48 pixels: half the width of a Chinese character and of another one, at most, and the
# least width that is left for one between them.
_HALF_HANZI_PX, _HALF_OTHER_PX, _LEAST_PX = 26, 15, 8
_CONTRAST, _FAINT = 0.2, 0.25  # share of the line's contrast, and least contrast, of an edge
_EDGES = 115  # pixels beside which an edge is, in a character; smears and rules have fewer


def unread_ink(
    line: npt.NDArray[np.float32], decoded: DecodedText, step_px: int, stretch: float
) -> bool:
    """Return whether a line has as much ink as a character where none was read.

    The line is 3 x 48 x W, from -1 to 1, and as many times as wide as `stretch`. Only neighbours of
    Chinese characters are looked at: letters of other scripts have too many widths.
    """
    gaps = []
    places = zip(decoded.steps.tolist(), decoded.text, strict=False)
    previous: tuple[float, bool] | None = None
    for step, character in places:
        if character == " ":  # on either side there may be letters of any width
            previous = None
            continue
        hanzi = is_hanzi(character)
        half = stretch * (_HALF_HANZI_PX if hanzi else _HALF_OTHER_PX)
        middle = (step + 0.5) * step_px
        if previous is not None and (hanzi or previous[1]):
            first, last = previous[0], middle - half
            if last - first >= stretch * _LEAST_PX:
                gaps.append((int(first), int(last)))
        previous = middle + half, hanzi
    return bool(gaps) and _any_has_edges(line.mean(axis=0), gaps)


def _any_has_edges(grey: npt.NDArray[np.float32], gaps: Sequence[tuple[int, int]]) -> bool:
    """Return whether one of the ranges of columns has as many edges as a character."""
    dark, bright = np.percentile(grey, (5, 95))
    least = _CONTRAST * max(_FAINT, bright - dark)
    return any(
        np.count_nonzero(np.abs(np.diff(grey[:, first : last + 1], axis=1)) > least) >= _EDGES
        for first, last in gaps
    )
