"""Gutters: straight gaps between lines side by side, from one crossing line to the next."""

from bisect import bisect, bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

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

WORDY = 3.0  # width of a word by its height: numbers and single characters are narrower
FEWEST = 3  # lines in a column

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
    places = np.array(_distinct(neighbours.gutters, _SAME * neighbours.height))[:, None]
    left, right = boxes.left, boxes.right
    crossing = (left < places) & (right > places)
    on_left = (right <= places) & (neighbours.next > places)
    on_right = (left >= places) & (neighbours.previous < places)
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
    gutters: Numbers

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
            (boxes.left[other] - np.minimum(apart / 2, _BESIDE * height))[~close],
        )


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


def _distinct(places: Numbers, distance: float) -> list[float]:
    """Return the middle one of each group of places that are near each other."""
    groups: dict[int, list[float]] = defaultdict(list)
    for place in np.sort(places).tolist():
        groups[int(place // distance)].append(place)
    return [group[len(group) // 2] for group in groups.values() if len(group) > 1]
