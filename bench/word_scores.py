"""How well the boxes of words are those of the words of a drawn page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from bench.word_pages import Corners, DrawnWord

_NEAR = 1.5  # widths or heights of a word in which it may have been found


class Box(Protocol):
    """A word that was read, and its box."""

    @property
    def text(self) -> str:
        """Its text."""

    @property
    def polygon(self) -> Any:
        """Its four corners."""


@dataclass(frozen=True, slots=True)
class Match:
    """A word of a page and its box, if it was read; how much of both is common to both."""

    text: str
    true: Corners
    box: Corners
    found: bool
    iou: float
    along: float  # the same along the line only
    inside: bool  # whether the middle of the box is in the true one


def matched(drawn: Sequence[DrawnWord], read: Sequence[Box]) -> list[Match]:
    """Return the words of a page, each with the nearest box of the same text."""
    left = [(word.text, np.array(word.polygon, float)) for word in read]
    return [_match(word, left) for word in drawn]


def _match(word: DrawnWord, left: list[tuple[str, Corners]]) -> Match:
    """Return the match of a word, whose box is no longer left."""
    middle, size = word.box.mean(axis=0), np.ptp(word.box, axis=0).max()
    near = [
        (float(np.linalg.norm(box.mean(axis=0) - middle)), index)
        for index, (text, box) in enumerate(left)
        if text == word.text
    ]
    distance, index = min(near, default=(float("inf"), -1))
    if distance > _NEAR * max(size, 20.0):
        return Match(word.text, word.box, word.box, found=False, iou=0.0, along=0.0, inside=False)
    _, box = left.pop(index)
    true, found = word.box.astype(np.float32), box.astype(np.float32)
    common, _ = cv2.intersectConvexConvex(true, found)
    union = abs(cv2.contourArea(true)) + abs(cv2.contourArea(found)) - common
    x, y = box.mean(axis=0).tolist()
    inside = cv2.pointPolygonTest(true, (x, y), measureDist=False) >= 0
    along = _common_length(word.box, box)
    return Match(word.text, word.box, box, True, common / union, along, inside)  # noqa: FBT003


def _common_length(true: Corners, box: Corners) -> float:
    """Return the common length of two boxes as a share of that of either, along the true one."""
    side = true[1] - true[0]
    (first, last), (start, end) = (
        (places.min(), places.max()) for places in ((corners @ side) for corners in (true, box))
    )
    common = max(0.0, min(last, end) - max(first, start))
    return float(common / (last - first + end - start - common))
