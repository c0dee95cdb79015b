"""At what size the detector looks at a page: by how high its letters are, not how large it is.

Measured on drawn sheets (docs/decisions/0004-detector.md): of lines whose letters are 12 to 28 px
high on the network's map it finds as many as it ever does; of lower ones fewer and fewer, and
all above is time for nothing. So a page is looked at small first, and again at the
scale its letters want.
"""

from collections.abc import Sequence

import numpy as np

_FIRST_SIDE_PX = 480  # of a page's short side on the first look: 8 pt of A4 can be made out
_FULL_SIDE_PX = 736  # where that look found nothing
_MAX_SIDE_PX = 2000  # the long side on any look, which bounds time and memory
_MAX_ENLARGEMENT = 3.0  # beyond it letters of a small image grow larger than any the network saw
_STRIDE_PX = 32  # the network halves its input five times
_MAX_ASPECT = 8  # slimmer images get a border: the network has seen no text without surroundings
_MIN_HEIGHT_PX = 30

_LOW_PX, _HIGH_PX = 12.0, 32.0  # letters that are found as well as any
_WANTED_PX = 15.0
_SMALL = 20  # per cent of a page's boxes that are lower than the one that counts
# A box's height on the map is about this much and three quarters of its letters' (font size).
_BOX_MARGIN_PX, _BOX_SHARE = 7.5, 0.75
_LOWEST_PX = 4.0  # letters lower than this are not found, so an estimate below it is none


def border(height: int, width: int) -> tuple[int, int]:
    """Return the rows to add above and below, and the columns left and right."""
    top = max(0, max(width // _MAX_ASPECT, _MIN_HEIGHT_PX) - height // 2)
    left = max(0, max(height // _MAX_ASPECT, _MIN_HEIGHT_PX) - width // 2)
    top = top if height <= _MIN_HEIGHT_PX or width > _MAX_ASPECT * height else 0
    left = left if width <= _MIN_HEIGHT_PX or height > _MAX_ASPECT * width else 0
    return top, left


def first_scale(height: int, width: int) -> float:
    """Return the scale of the first look."""
    return min(_FIRST_SIDE_PX / min(height, width), _largest(height, width))


def next_scale(height: int, width: int, scale: float, box_heights: Sequence[float]) -> float | None:
    """Return the scale of another look, or None where this one, at `scale`, was good enough.

    `box_heights` are those of the boxes found, in the page's own px.
    """
    largest = _largest(height, width)
    if not box_heights:
        full = min(_FULL_SIDE_PX / min(height, width), largest)
        return full if full > scale else None
    on_map = float(np.percentile(box_heights, _SMALL)) * scale
    letters_px = max(_LOWEST_PX, (on_map - _BOX_MARGIN_PX) / _BOX_SHARE)
    wanted = min(largest, scale * _WANTED_PX / letters_px)
    if letters_px > _HIGH_PX or (letters_px < _LOW_PX and wanted > scale):
        return wanted
    return None


def map_size(height: int, width: int, scale: float) -> tuple[int, int]:
    """Return the height and width the network gets: multiples of its stride, within the limits."""

    def fit(side: int) -> int:
        return max(_STRIDE_PX, round(side * scale / _STRIDE_PX) * _STRIDE_PX)

    return fit(height), fit(width)


def _largest(height: int, width: int) -> float:
    """Return the scale that is never passed."""
    return min(_MAX_ENLARGEMENT, _MAX_SIDE_PX / max(height, width))
