"""Gutters: straight gaps between lines side by side, from one crossing line to the next."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.vision.level import LevelBoxes
from model.vision.polygon import Numbers

# In heights of a line:
_OVERLAP = 0.3  # of two lines that lie side by side
_WIDTH = 0.7  # lowest of a gap that is not between two words
_HANGING_WIDTH = 1.8  # lowest beside a bullet or a number, ...
_HANGING = 2.0  # ... which is at most this wide
_BESIDE = 0.8  # a gutter runs at most so far left of the line to the right of it
_SAME = 0.5  # gutters nearer than this are one
_FEWEST = 2  # lines at each side


@dataclass(frozen=True, slots=True)
class Stack:
    """The lines at one side of a gutter, from top to bottom: the extent of each, in px."""

    lines: list[int]
    left: list[float]
    right: list[float]
    middle: list[float]
    height: list[float]

    def part(self, first: float, last: float) -> "Stack":
        """Return the lines whose middles are between two heights."""
        return self.choose([i for i, y in enumerate(self.middle) if first <= y <= last])

    def choose(self, inside: list[int]) -> "Stack":
        """Return some of the lines, by their places in the stack."""
        return Stack(
            [self.lines[i] for i in inside],
            [self.left[i] for i in inside],
            [self.right[i] for i in inside],
            [self.middle[i] for i in inside],
            [self.height[i] for i in inside],
        )


@dataclass(frozen=True, slots=True)
class Gutter:
    """A gutter at `x`, the lines next to it at each side, and the left edge of all lines.

    `above` and `below` are the heights of the lines that cross it; infinite where none does.
    """

    x: float
    edge: float
    above: float
    below: float
    left: Stack
    right: Stack

    @property
    def length(self) -> float:
        """How far it reaches from top to bottom, in px."""
        first = min(self.left.middle[0], self.right.middle[0])
        return max(self.left.middle[-1], self.right.middle[-1]) - first


def gutters(boxes: LevelBoxes) -> list[Gutter]:
    """Return the gutters between the boxes, the longest first."""
    gaps = _gaps(boxes)
    right_of, left_of = gaps.argmin(axis=1), gaps.argmin(axis=0)
    height = float(np.median(boxes.height))
    pairs = [
        (i, int(j), float(gaps[i, j]))
        for i, j in enumerate(right_of)
        if gaps[i, j] < np.inf and left_of[j] == i
    ]
    wide = [boxes.right[i] - boxes.left[i] > _HANGING * boxes.height[i] for i in range(len(boxes))]
    close = [
        (i, j) for i, j, gap in pairs if gap < height * (_WIDTH if wide[i] else _HANGING_WIDTH)
    ]
    joined = set(close)
    places = [
        float(boxes.left[j]) - min(gap / 2, _BESIDE * height)
        for i, j, gap in pairs
        if (i, j) not in joined
    ]
    sides = _Sides(boxes, gaps, right_of, left_of, close)
    found = [gutter for x in _distinct(places, _SAME * height) for gutter in sides.along(x)]
    distinct = {(*gutter.left.lines, -1, *gutter.right.lines): gutter for gutter in found}
    return sorted(distinct.values(), key=lambda gutter: -gutter.length)


def _gaps(boxes: LevelBoxes) -> Numbers:
    """Return the gap from each box to each box at its right, N x N; inf where there is none."""
    half = boxes.height / 2
    top, bottom = boxes.middle - half, boxes.middle + half
    shared = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    lower = np.minimum(boxes.height[:, None], boxes.height)
    gap = boxes.left - boxes.right[:, None]
    beside = (shared > _OVERLAP * lower) & (gap > -_OVERLAP * lower)
    centre = boxes.left + boxes.right
    beside &= centre > centre[:, None]
    return np.where(beside, gap, np.inf)


def _distinct(places: list[float], distance: float) -> list[float]:
    """Return the middle one of each group of places that are near each other."""
    groups: dict[int, list[float]] = defaultdict(list)
    for place in sorted(places):
        groups[int(place // distance)].append(place)
    return [group[len(group) // 2] for group in groups.values()]


class _Sides:
    """Finds the lines next to a gutter."""

    def __init__(
        self,
        boxes: LevelBoxes,
        gaps: Numbers,
        right_of: npt.NDArray[np.intp],
        left_of: npt.NDArray[np.intp],
        close: list[tuple[int, int]],
    ) -> None:
        every = np.arange(len(boxes))
        infinite = np.inf
        self._boxes = boxes
        self._edge = float(boxes.left.min())
        # Where the next box begins or ends.
        self._next = np.where(gaps[every, right_of] < infinite, boxes.left[right_of], infinite)
        self._previous = np.where(gaps[left_of, every] < infinite, boxes.right[left_of], -infinite)
        self._order = np.argsort(boxes.middle, kind="stable")
        # A line that was found in pieces reaches from its first to its last one.
        self._left, self._right = boxes.left.copy(), boxes.right.copy()
        for i, j in sorted(close, key=lambda pair: boxes.left[pair[0]]):
            self._left[j] = self._left[i]
        for i, j in sorted(close, key=lambda pair: -boxes.left[pair[0]]):
            self._right[i] = self._right[j]

    def along(self, x: float) -> list[Gutter]:
        """Return the gutters at `x`, one between any two lines that cross it."""
        boxes, order = self._boxes, self._order
        crossing = order[(boxes.left[order] < x) & (boxes.right[order] > x)]
        left = order[(boxes.right[order] <= x) & (self._next[order] > x)]
        right = order[(boxes.left[order] >= x) & (self._previous[order] < x)]
        ends = boxes.middle[crossing]
        left_parts = np.searchsorted(ends, boxes.middle[left])
        right_parts = np.searchsorted(ends, boxes.middle[right])
        limits = [-np.inf, *ends.tolist(), np.inf]
        found = []
        for part in range(len(ends) + 1):
            one, other = left[left_parts == part], right[right_parts == part]
            if min(len(one), len(other)) >= _FEWEST:
                above, below = limits[part : part + 2]
                stacks = self._stack(one), self._stack(other)
                found.append(Gutter(x, self._edge, above, below, *stacks))
        return found

    def _stack(self, lines: npt.NDArray[np.intp]) -> Stack:
        return Stack(
            lines.tolist(),
            self._left[lines].tolist(),
            self._right[lines].tolist(),
            self._boxes.middle[lines].tolist(),
            self._boxes.height[lines].tolist(),
        )
