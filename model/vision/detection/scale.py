"""The scale at which the detector reads a page: it depends on the letters' height, not the page's.

Measured on rendered pages (docs/decisions/0004-detector.md): the detector finds most of the lines
whose letters are 12 to 28 px high on its map, fewer of lower ones, and larger letters only take
more time. So the first pass is at a small scale, and a second one at the scale for the letters.
"""

from collections.abc import Sequence

import numpy as np

_FIRST_SIDE_PX = 480  # of a page's short side on the first pass, enough to find 8 pt letters on A4
_FULL_SIDE_PX = 736  # if that pass finds nothing
_MAX_SIDE_PX = 2000  # of the long side on any pass, which bounds time and memory
_MAX_ENLARGEMENT = 3.0  # beyond it, letters of a small image are larger than any in training
_STRIDE_PX = 32  # the network halves the resolution five times
_MAX_ASPECT = 8  # longer images get a border: in training, text had surroundings
_MIN_HEIGHT_PX = 30

_LOW_PX, _HIGH_PX = 12.0, 24.0  # height of letters that are found well
_TARGET_PX = 17.0
_SMALL = 20  # percentile of the box heights that decides
# A box's height on the map is about _BOX_MARGIN_PX + _BOX_SHARE x the font size.
_BOX_MARGIN_PX, _BOX_SHARE = 7.5, 0.75
_LOWEST_PX = 4.0  # lower letters are not found, so a lower estimate is wrong


def border(height: int, width: int) -> tuple[int, int]:
    """Return the rows to add above and below, and the columns to add left and right."""
    top = max(0, max(width // _MAX_ASPECT, _MIN_HEIGHT_PX) - height // 2)
    left = max(0, max(height // _MAX_ASPECT, _MIN_HEIGHT_PX) - width // 2)
    top = top if height <= _MIN_HEIGHT_PX or width > _MAX_ASPECT * height else 0
    left = left if width <= _MIN_HEIGHT_PX or height > _MAX_ASPECT * width else 0
    return top, left


def first_scale(height: int, width: int) -> float:
    """Return the scale of the first pass."""
    return min(_FIRST_SIDE_PX / min(height, width), max_scale(height, width))


def tile_length(height: int, width: int, scale: float, box_heights: Sequence[float]) -> int | None:
    """Return the length of the tiles in which a part of a page is to be searched, in px.

    None if most of its letters are found well in the whole part. `box_heights` are the heights of
    the boxes found at `scale`, in px of the page.
    """
    if not box_heights:
        return None
    font_px = _font_px(scale, box_heights, 50) / scale
    if font_px * max_scale(height, width) >= _LOW_PX or font_px * _MAX_ENLARGEMENT < _LOW_PX:
        return None
    return round(_MAX_SIDE_PX * font_px / _LOW_PX)


def _font_px(scale: float, box_heights: Sequence[float], percentile: float) -> float:
    """Return the font size on the map of a percentile of the boxes found, in px."""
    height = float(np.percentile(box_heights, percentile))
    return max(_LOWEST_PX, (height * scale - _BOX_MARGIN_PX) / _BOX_SHARE)


def next_scale(height: int, width: int, scale: float, box_heights: Sequence[float]) -> float | None:
    """Return the scale of the next pass, or None if the last one, at `scale`, was good enough.

    `box_heights` are the heights of the boxes found, in px of the page.
    """
    largest = max_scale(height, width)
    if not box_heights:
        full = min(_FULL_SIDE_PX / min(height, width), largest)
        return full if full > scale else None
    small, middle = (_font_px(scale, box_heights, each) for each in (_SMALL, 50))
    enlarged = min(largest, scale * _TARGET_PX / small)
    if small < _LOW_PX and enlarged > scale:
        return enlarged
    return min(largest, scale * _TARGET_PX / middle) if middle > _HIGH_PX else None


def map_size(height: int, width: int, scale: float) -> tuple[int, int]:
    """Return the height and width of the network's input, which are multiples of its stride."""

    def fit(side: int) -> int:
        return max(_STRIDE_PX, round(side * scale / _STRIDE_PX) * _STRIDE_PX)

    return fit(height), fit(width)


def max_scale(height: int, width: int) -> float:
    """Return the maximum scale."""
    return min(_MAX_ENLARGEMENT, _MAX_SIDE_PX / max(height, width))
