"""Lines that run across most others: headings over vertical text, notes in a margin, couplets.

They are units of their own, so that they do not part the text that they stand beside.
"""

from collections.abc import Sequence

import numpy as np

from model.vision.blocks import Block
from model.vision.lines.directions import Direction
from model.vision.polygon import Numbers, Polygon, width_and_height

_LONG = 2.0  # lowest ratio of the sides of a box that shows a direction
_NEAR = 1.0  # highest gap between two lines of one unit, by the shorter sides of their boxes
_BESIDE = 0.2  # share of the smaller side along which two boxes overlap


def crosswise_units(
    polygons: Sequence[Polygon], directions: Sequence[Direction], most: Direction
) -> list[list[int]]:
    """Return the indices of the lines that run across `most`, those near each other together."""
    across = [
        i
        for i, (polygon, direction) in enumerate(zip(polygons, directions, strict=True))
        if (direction.quarter_turns - most.quarter_turns) % 2 and _is_long(polygon, direction)
    ]
    units = _near_each_other([polygons[i] for i in across])
    return [[across[i] for i in unit] for unit in units]


def with_units(
    blocks: Sequence[Block], units: Sequence[Sequence[Block]], most: Direction
) -> list[Block]:
    """Return blocks with those of each unit before the first block that is read after it.

    A unit is read before what it is above, and before what it is beside on the side where `most`
    lines begin: the left, or for vertical text the right.
    """
    found = list(blocks)
    for unit in sorted(units, key=lambda unit: -float(_sides(unit, most)[0, 1])):
        sides = _sides(unit, most)
        later = (
            i for i, block in enumerate(found) if _precedes(sides, _sides([block], most), most)
        )
        place = next(later, len(found))
        found[place:place] = unit
    return found


def _is_long(polygon: Polygon, direction: Direction) -> bool:
    """Return whether a box is longer along its direction: single characters run anyhow."""
    width, height = width_and_height(polygon)
    along, other = (height, width) if direction.quarter_turns % 2 else (width, height)
    return along >= _LONG * other


def _near_each_other(polygons: Sequence[Polygon]) -> list[list[int]]:
    """Return the indices of the boxes in groups: each is near another one of its group."""
    if not polygons:
        return []
    points = np.stack(polygons)
    low, high = points.min(axis=1), points.max(axis=1)
    reach = _NEAR * np.array([min(width_and_height(polygon)) for polygon in polygons])
    groups = np.arange(len(polygons))
    for i in range(1, len(polygons)):
        # One box and all before it at once: there may be thousands.
        gaps = np.maximum(low[:i], low[i]) - np.minimum(high[:i], high[i])
        near = (gaps <= np.maximum(reach[:i], reach[i])[:, None]).all(axis=1)
        groups[np.isin(groups, groups[:i][near])] = i
    return [np.flatnonzero(groups == group).tolist() for group in np.unique(groups)]


def _sides(blocks: Sequence[Block], most: Direction) -> Numbers:
    """Return the top left and the bottom right of blocks, 2 x 2, on the upright page."""
    corners = np.concatenate([block.polygon for block in blocks]).astype(np.float64)
    turns = 0 if most is Direction.COLUMN else most.quarter_turns
    for _ in range(turns):
        corners = np.stack([corners[:, 1], -corners[:, 0]], axis=-1)
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def _precedes(unit: Numbers, block: Numbers, most: Direction) -> bool:
    """Return whether a unit is read before a block."""
    shared = np.minimum(unit[1], block[1]) - np.maximum(unit[0], block[0])
    smaller = np.minimum(unit[1] - unit[0], block[1] - block[0])
    above, beside = (shared > _BESIDE * smaller).tolist()
    right, down = (unit.mean(axis=0) - block.mean(axis=0)).tolist()
    if above or not beside:
        return bool(down < 0)
    return bool(right > 0 if most is Direction.COLUMN else right < 0)
