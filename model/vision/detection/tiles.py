"""Tiles of a page: overlapping parts that are searched one by one, each like a page.

As a whole, a long screenshot would be reduced until its letters are a few pixels high.
"""

from collections.abc import Sequence
from itertools import compress

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.detection.passes import shared_areas
from model.vision.detection.region import Region
from model.vision.polygon import Numbers, Polygon, width_and_height

_LONG = 6  # a page of more than this times its short side is searched in tiles
_STRIP_PX = 100  # unless its short side is less than this: it is a line or two
_TILE = 2.5  # a tile's length, in short sides
_MAX_TILES = 60  # of one page, which bounds the time: those of a longer page are longer
_OVERLAP = 0.2  # of two tiles, in short sides; higher than a line, so that one tile has it whole
_EDGE_PX = 3  # a box this near to the edge of a tile may be cut off
_COVERED = 0.3  # share of a line that is cut off, which the box of the whole line covers
_SAME_LINE = 0.5  # share of the smaller box that two boxes of one line have in common


def tiles(height: int, width: int, length: int | None = None) -> list[Region]:
    """Return the parts in which a page is searched, from one end to the other; mostly one.

    Only those of a long page are several, unless a `length` is given, in px.
    """
    short, long = sorted((height, width))
    if long <= length if length else short < _STRIP_PX or long <= _LONG * short:
        return [Region(0, 0, width, height)]
    length = length or round(_TILE * short)
    overlap = round(_OVERLAP * min(short, length))
    count = -(-(long - overlap) // (length - overlap))
    if count > _MAX_TILES:
        count = _MAX_TILES
        length = -(-(long - overlap) // count) + overlap
    starts = [round((long - length) * number / (count - 1)) for number in range(count)]
    if height > width:
        return [Region(0, start, width, start + length) for start in starts]
    return [Region(start, 0, start + length, height) for start in starts]


def join(
    found: Sequence[Polygon], latest: Sequence[Polygon], tile: Region, following: Region
) -> list[Polygon]:
    """Return the boxes of a tile and of the one after it: each line of their overlap is one box.

    A line along the seam is whole in one of them; a line across it consists of two parts.
    """
    axis = 0 if following.left > tile.left else 1
    start, end = following[axis], tile[axis + 2]
    # Only of the boxes near the overlap, so that the time does not grow with the tiles before.
    near = _ends(found, axis) >= min([start, *_starts(latest, axis)]) - _EDGE_PX
    latest_near = _starts(latest, axis) <= max([end, *_ends(found, axis)]) + _EDGE_PX
    return [
        *compress(found, ~near),
        *_joined([*compress(found, near)], [*compress(latest, latest_near)], axis, (start, end)),
        *compress(latest, ~latest_near),
    ]


def _joined(
    found: Sequence[Polygon], latest: Sequence[Polygon], axis: int, overlap: tuple[int, int]
) -> list[Polygon]:
    """Return the boxes near the overlap of two tiles: each line is one box."""
    start, end = overlap
    cut, latest_cut = _cut_off(found, axis, end), _cut_off(latest, axis, start)
    shared = shared_areas(found, latest)
    doubled = cut & (shared[:, ~latest_cut].sum(axis=1) > _COVERED * _areas(found))
    latest_doubled = latest_cut & (shared[~cut].sum(axis=0) > _COVERED * _areas(latest))
    same = shared > _SAME_LINE * np.minimum(
        _areas_between(found, axis, end - start)[:, None],
        _areas_between(latest, axis, end - start)[None, :],
    )
    same[doubled], same[:, latest_doubled] = False, False
    joined = {i: box for i, box in enumerate(found) if not doubled[i]}
    for j in np.flatnonzero(~latest_doubled).tolist():
        parts = [joined.pop(i) for i in np.flatnonzero(same[:, j]).tolist() if i in joined]
        joined[len(found) + j] = _hull([*parts, latest[j]])
    return list(joined.values())


def _starts(found: Sequence[Polygon], axis: int) -> Numbers:
    """Return where boxes start, N, in px along an axis."""
    return np.reshape(found, (-1, 4, 2))[..., axis].min(axis=1)  # type: ignore[no-any-return]


def _ends(found: Sequence[Polygon], axis: int) -> Numbers:
    """Return where boxes end, N, in px along an axis."""
    return np.reshape(found, (-1, 4, 2))[..., axis].max(axis=1)  # type: ignore[no-any-return]


def _cut_off(found: Sequence[Polygon], axis: int, edge: int) -> npt.NDArray[np.bool_]:
    """Return which boxes, N, the edge of a tile may cut off lengthwise."""
    near = [bool((np.abs(box[:, axis] - edge) <= _EDGE_PX).any()) for box in found]
    return np.array(near, bool) & ~_crossing(found, axis)


def _crossing(found: Sequence[Polygon], axis: int) -> npt.NDArray[np.bool_]:
    """Return which boxes, N, run from tile to tile."""
    return np.array([int(np.ptp(box, axis=0).argmax()) == axis for box in found], bool)


def _areas(found: Sequence[Polygon]) -> Numbers:
    """Return the areas of boxes, N, in square px."""
    return np.array([cv2.contourArea(box) for box in found], np.float64)


def _areas_between(found: Sequence[Polygon], axis: int, overlap: int) -> Numbers:
    """Return the areas of boxes, N, in square px, of those that cross the seam in the overlap."""
    low = np.array([min(width_and_height(box)) for box in found], np.float64)
    limit = np.where(_crossing(found, axis), low * overlap, np.inf)
    return np.minimum(_areas(found), limit)


def _hull(parts: Sequence[Polygon]) -> Polygon:
    """Return the box around the parts of a line, at the angle of the longest one."""
    longest = max(parts, key=lambda box: max(width_and_height(box)))
    if len(parts) == 1:
        return longest
    across, down = longest[1] - longest[0], longest[3] - longest[0]
    axes = np.stack([across, down]) / [[np.linalg.norm(across)], [np.linalg.norm(down)]]
    along = (np.concatenate(parts) - longest[0]) @ axes.T
    low, high = along.min(axis=0), along.max(axis=0)
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    return (corners @ axes + longest[0]).astype(np.float32)  # type: ignore[no-any-return]
