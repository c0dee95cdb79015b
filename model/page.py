"""One page from pixels to lines: detect, cut, turn, read, order."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from model.crnn import Recogniser
from model.crop import cut_line, measure, runs_vertically, upside_down
from model.detect import Detector, Polygon
from model.inference import Pixels
from model.order import reading_order
from model.orient import Orientation

_VOTERS = 5  # widest lines asked whether the page stands on its head
_DOUBTFUL = 0.8  # confidence below which a line on an upright page is asked too
_READABLE = 0.5  # confidence below which a line is noise


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line's text, confidence 0 to 1, and box."""

    text: str
    confidence: float
    polygon: Polygon


@dataclass(slots=True)
class PageReading:
    """The lines of a page in reading order, and where the time went."""

    lines: list[ReadLine] = field(default_factory=list)
    detect_ms: float = 0.0
    recognise_ms: float = 0.0


class PageReader:
    """The networks that read a page, and threads that read its lines side by side."""

    def __init__(
        self,
        detector: Detector,
        orientation: Orientation,
        recogniser: Recogniser,
        *,
        threads: int,
    ) -> None:
        self._detector = detector
        self._orientation = orientation
        self._recogniser = recogniser
        self._threads = ThreadPoolExecutor(threads)

    def read(self, pixels: Pixels, *, detect: bool, check: Callable[[], None]) -> PageReading:
        """Return the lines of a page, H x W x 3.

        `check` is called between the steps and lines, from any thread; what it raises ends the
        reading.
        """
        reading = PageReading()
        began = time.perf_counter()
        polygons = self._detector.find_lines(pixels) if detect else [_whole(pixels)]
        check()
        found = time.perf_counter()
        turned = self._turned(pixels, polygons, check) if detect else set()

        def read_line(index: int) -> ReadLine:
            check()
            line = cut_line(pixels, polygons[index])
            return self._read_line(line, polygons[index], turned=index in turned)

        lines = list(self._threads.map(read_line, range(len(polygons))))
        order = reading_order(polygons, _quarter_turns(polygons, turned))
        reading.lines = [
            lines[index]
            for index in order
            if lines[index].text and lines[index].confidence >= _READABLE
        ]
        reading.detect_ms = (found - began) * 1000
        reading.recognise_ms = (time.perf_counter() - found) * 1000
        return reading

    def _turned(
        self, pixels: Pixels, polygons: list[Polygon], check: Callable[[], None]
    ) -> set[int]:
        """Return which lines stand on their heads.

        Upright pages hardly pay: only if most of the widest lines do, or where lines run up or
        down and there is no telling which, is every line asked.
        """

        def asked(indices: Iterable[int]) -> set[int]:
            def ask(index: int) -> bool:
                check()
                return self._orientation.is_upside_down(cut_line(pixels, polygons[index]))

            indices = list(indices)
            answers = self._threads.map(ask, indices)
            return {index for index, answer in zip(indices, answers, strict=True) if answer}

        vertical = {index for index, box in enumerate(polygons) if runs_vertically(box)}
        level = set(range(len(polygons))) - vertical
        widest = sorted(level, key=lambda index: -measure(polygons[index])[0])[:_VOTERS]
        turned = asked(widest)
        if len(turned) > len(widest) / 2:
            turned |= asked(level - set(widest))
        return turned | asked(vertical)

    def _read_line(self, line: Pixels, polygon: Polygon, *, turned: bool) -> ReadLine:
        """Read a cut line; where that goes badly, try it the other way up."""
        text, confidence = self._recogniser.read_line(upside_down(line) if turned else line)
        if confidence < _DOUBTFUL and not turned and self._orientation.is_upside_down(line):
            other_text, other_confidence = self._recogniser.read_line(upside_down(line))
            if other_confidence > confidence:
                text, confidence = other_text, other_confidence
        return ReadLine(text, confidence, polygon)


def _whole(pixels: Pixels) -> Polygon:
    """Return the box of the whole image."""
    height, width = pixels.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _quarter_turns(polygons: list[Polygon], turned: set[int]) -> int:
    """Return the quarter turns, counter-clockwise, that make most lines upright."""
    votes = [0, 0, 0, 0]
    for index, polygon in enumerate(polygons):
        quarter = 1 if runs_vertically(polygon) else 0
        votes[quarter + (2 if index in turned else 0)] += max(measure(polygon))
    return votes.index(max(votes))
