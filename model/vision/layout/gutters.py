"""Gutters: straight gaps between lines side by side, from one crossing line to the next."""

from bisect import bisect, bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from model.vision.layout.level import LevelBoxes
from model.vision.polygon import Numbers

# In heights of a line:
_OVERLAP = 0.3  # of two lines that lie side by side
_INEXACT = 0.75  # boxes may reach so far into a gutter, or across it
_WIDTH = 0.7  # lowest of a gap that is not between two words
_HANGING_WIDTH = 1.8  # lowest beside a bullet or a number, ...
_HANGING = 2.0  # ... which is at most this wide
_BESIDE = 0.8  # a gutter runs at most so far left of the line to the right of it
_SAME = 0.5  # gutters nearer than this are one

WORDY = 3.0  # width of a word by its height: numbers and single characters are narrower
LONG = 7.0  # ... of a line of running text
FEWEST = 3  # lines in a column
_ALIGNED = 5  # lines side by side that show a gutter no wider than a space

Indices = npt.NDArray[np.intp]


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
        start, end = bisect_left(self.middle, first), bisect(self.middle, last)
        return Stack(
            self.lines[start:end],
            self.left[start:end],
            self.right[start:end],
            self.middle[start:end],
            self.height[start:end],
        )

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
    """Return the gutters that may be between columns, the longest first."""
    neighbours = _Neighbours.of(boxes)
    places = np.array(neighbours.gutters)[:, None]
    reach, centre = _INEXACT * neighbours.height, (boxes.left + boxes.right) / 2
    crossing = (boxes.left < places - reach) & (boxes.right > places + reach)
    on_left = ~crossing & (centre < places) & (neighbours.next > places - reach)
    on_right = ~crossing & (centre >= places) & (neighbours.previous < places + reach)
    order = np.argsort(boxes.middle, kind="stable")
    wordy = neighbours.last - neighbours.first >= WORDY * boxes.height
    enough = [(side & wordy).sum(axis=1) >= FEWEST for side in (on_left, on_right)]
    found: dict[tuple[int, ...], Gutter] = {}
    for i in np.flatnonzero(enough[0] & enough[1]).tolist():
        sides = (order[on_left[i, order]], order[on_right[i, order]])
        for gutter in _between(
            float(places[i, 0]), order[crossing[i, order]], sides, boxes, neighbours
        ):
            found[(*gutter.left.lines, -1, *gutter.right.lines)] = gutter
    return sorted(found.values(), key=lambda gutter: -gutter.length)


def _between(
    x: float,
    crossing: Indices,
    sides: tuple[Indices, Indices],
    boxes: LevelBoxes,
    neighbours: "_Neighbours",
) -> Iterator[Gutter]:
    """Yield the gutters at `x`, one between any two lines that cross it."""
    edge = float(boxes.left.min())
    limits = [-np.inf, *boxes.middle[crossing].tolist(), np.inf]
    stacks = [_stack(side, boxes, neighbours) for side in sides]
    for above, below in pairwise(limits):
        counts = [bisect(stack.middle, below) - bisect(stack.middle, above) for stack in stacks]
        if min(counts) >= FEWEST:
            left, right = (stack.part(above, below) for stack in stacks)
            yield Gutter(x, edge, above, below, left, right)


def _stack(lines: Indices, boxes: LevelBoxes, neighbours: "_Neighbours") -> Stack:
    return Stack(
        lines.tolist(),
        neighbours.first[lines].tolist(),
        neighbours.last[lines].tolist(),
        boxes.middle[lines].tolist(),
        boxes.height[lines].tolist(),
    )


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """What is beside each box, and where there may be gutters.

    `next` and `previous` are where the next box begins, and where the previous one ends; infinite
    without any. A line that was found in pieces reaches from `first` to `last`.
    """

    height: float
    next: Numbers
    previous: Numbers
    first: Numbers
    last: Numbers
    gutters: list[float]

    @classmethod
    def of(cls, boxes: LevelBoxes) -> "_Neighbours":
        """Find them."""
        every = np.arange(len(boxes))
        height = float(np.sort(boxes.height)[len(boxes) // 2])
        gaps = _gaps(boxes)
        right_of, left_of = gaps.argmin(axis=1), gaps.argmin(axis=0)
        gap, before = gaps[every, right_of], gaps[left_of, every]
        one = np.flatnonzero((gap < np.inf) & (left_of[right_of] == every))
        other, apart = right_of[one], gap[one]
        wide = boxes.right[one] - boxes.left[one] > _HANGING * boxes.height[one]
        close = apart < height * np.where(wide, _WIDTH, _HANGING_WIDTH)
        close &= ~_narrow_gutter(boxes, one, other, height)
        first, last = boxes.left.copy(), boxes.right.copy()
        words = sorted(
            zip(one[close].tolist(), other[close].tolist(), strict=True),
            key=lambda pair: first[pair[0]],
        )
        for i, j in words:
            first[j] = first[i]
        for i, j in reversed(words):
            last[i] = last[j]
        return cls(
            height,
            np.where(gap < np.inf, boxes.left[right_of], np.inf),
            np.where(before < np.inf, boxes.right[left_of], -np.inf),
            first,
            last,
            _places(boxes.right[one[~close]], boxes.left[other[~close]], height),
        )


def _gaps(boxes: LevelBoxes) -> Numbers:
    """Return the gap from each box to each box at its right, N x N; inf where there is none."""
    half = boxes.height / 2
    top, bottom = boxes.middle - half, boxes.middle + half
    shared = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    lower = np.minimum(boxes.height[:, None], boxes.height)
    gap = boxes.left - boxes.right[:, None]
    beside = (shared > _OVERLAP * lower) & (gap > -2 * _INEXACT * lower)
    centre = boxes.left + boxes.right
    beside &= centre > centre[:, None]
    return np.where(beside, gap, np.inf)


def _narrow_gutter(
    boxes: LevelBoxes, one: Indices, other: Indices, height: float
) -> npt.NDArray[np.bool_]:
    """Return which pairs of neighbours are of two columns, however near: long and aligned."""
    aspects = (boxes.right - boxes.left) / boxes.height
    long = (aspects[one] >= LONG) & (aspects[other] >= LONG)
    edges = boxes.left[other]
    aligned = np.abs(edges[:, None] - edges[long]) <= _INEXACT * height
    narrow: npt.NDArray[np.bool_] = long & (aligned.sum(axis=1) >= _ALIGNED)
    return narrow


def _places(ends: Numbers, edges: Numbers, height: float) -> list[float]:
    """Return where gutters may be, from where lines end at the left and begin at the right of them.

    Gaps near each other are one: it is in the middle, or near the lines at the right if it is wide.
    """
    nearest = edges - np.minimum((edges - ends) / 2, _BESIDE * height)
    order = np.argsort(nearest, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(nearest[order]) > _SAME * height) + 1)
    places = []
    for group in groups:
        if len(group) > 1:
            few = len(group) // 10  # boxes that reach too far
            edge, end = np.sort(edges[group])[few], np.sort(ends[group])[-1 - few]
            places.append(float(edge - min((edge - end) / 2, _BESIDE * height)))
    return places
