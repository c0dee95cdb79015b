"""One page from pixels to lines: detect, cut, turn, read, order."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from model.crnn import ReadText, Recogniser
from model.crop import cut_line, measure, sideways_lines, upside_down
from model.detect import Detector, Polygon
from model.inference import Pixels
from model.order import reading_order
from model.orient import Orientation
from model.vertical import unstack

T = TypeVar("T")

_VOTERS = 5  # widest lines asked whether the page stands on its head
_DOUBTFUL = 0.8  # certainty below which a line on an upright page is asked too
_READABLE = 0.5  # certainty below which a line is noise


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line's text, its characters' mean certainty, its confidence, 0 to 1 both, and its box."""

    text: str
    certainty: float
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
        # All at once: a process that is locked starts no more.
        together = threading.Barrier(threads)
        wait([self._threads.submit(together.wait) for _ in range(threads)])

    def read(self, pixels: Pixels, *, detect: bool, check: Callable[[], None]) -> PageReading:
        """Return the lines of a page, H x W x 3; without `detect` it is one upright line.

        `check` is called between the steps and lines, from any thread; what it raises ends the
        reading.
        """
        reading = PageReading()
        began = time.perf_counter()
        polygons = self._detector.find_lines(pixels) if detect else [_whole(pixels)]
        check()
        found = time.perf_counter()
        sideways = sideways_lines(polygons) if detect else set()

        def cut(index: int) -> Pixels:
            check()
            if not detect:
                return pixels
            return cut_line(pixels, polygons[index], sideways=index in sideways)

        turned = self._turned(polygons, sideways, cut) if detect else set()

        stacked: set[int] = set()

        def read_line(index: int) -> ReadLine:
            line = self._read_line(cut(index), polygons[index], turned=index in turned)
            # Of a line that lies on its left side, the letters are laid out last to first, and
            # networks that know letters in that position are just as sure of the wrong order.
            lies = index in turned and line.certainty >= _DOUBTFUL
            column = self._read_column(pixels, line) if index in sideways and not lies else line
            if column is not line:
                stacked.add(index)
            return column

        lines = self._side_by_side(read_line, range(len(polygons)))
        # Columns go from right to left, as lines do on a page that lies on its right side.
        order = reading_order(polygons, _quarter_turns(polygons, sideways, turned - stacked))
        reading.lines = [
            lines[index]
            for index in order
            if lines[index].text and lines[index].certainty >= _READABLE
        ]
        reading.detect_ms = (found - began) * 1000
        reading.recognise_ms = (time.perf_counter() - found) * 1000
        return reading

    def _turned(
        self, polygons: list[Polygon], sideways: set[int], cut: Callable[[int], Pixels]
    ) -> set[int]:
        """Return which lines stand on their heads.

        Upright pages hardly pay: only where most of the widest lines do is every line asked. Lines
        that run up or down always are, there is no telling otherwise which.
        """

        def asked(indices: Iterable[int]) -> set[int]:
            indices = list(indices)
            answers = self._side_by_side(
                lambda index: self._orientation.is_upside_down(cut(index)), indices
            )
            return {index for index, answer in zip(indices, answers, strict=True) if answer}

        level = set(range(len(polygons))) - sideways
        widest = sorted(level, key=lambda index: -measure(polygons[index])[0])[:_VOTERS]
        turned = asked(widest)
        if len(turned) > len(widest) / 2:
            turned |= asked(level - set(widest))
        return turned | asked(sideways)

    def _side_by_side(self, work: Callable[[int], T], indices: Iterable[int]) -> list[T]:
        """Return the work's results, in order, none of it still going on: it uses the pixels."""
        futures = [self._threads.submit(work, index) for index in indices]
        wait(futures)
        return [future.result() for future in futures]

    def _read_line(self, line: Pixels, polygon: Polygon, *, turned: bool) -> ReadLine:
        """Read a cut line; where that goes badly, try it the other way up."""
        read = self._recogniser.read_line(upside_down(line) if turned else line)
        if read.certainty < _DOUBTFUL and not turned and self._orientation.is_upside_down(line):
            other = self._recogniser.read_line(upside_down(line))
            read = other if other.certainty > read.certainty else read
        return _placed(read, polygon)

    def _read_column(self, pixels: Pixels, line: ReadLine) -> ReadLine:
        """Read a line's box as a column of upright characters; return the surer of the two."""
        unstacked = unstack(cut_line(pixels, line.polygon, sideways=False))
        if unstacked is None:
            return line
        column = _placed(self._recogniser.read_line(unstacked), line.polygon)
        return column if column.certainty > line.certainty else line


def _placed(read: ReadText, polygon: Polygon) -> ReadLine:
    """Return what was read together with where it stands."""
    return ReadLine(read.text, read.certainty, read.confidence, polygon)


def _whole(pixels: Pixels) -> Polygon:
    """Return the box of the whole image."""
    height, width = pixels.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _quarter_turns(polygons: list[Polygon], sideways: set[int], turned: set[int]) -> int:
    """Return the quarter turns, counter-clockwise, that make most lines upright."""
    votes = [0, 0, 0, 0]
    for index, polygon in enumerate(polygons):
        quarters = (1 if index in sideways else 0) + (2 if index in turned else 0)
        votes[quarters] += max(measure(polygon))
    return votes.index(max(votes))
