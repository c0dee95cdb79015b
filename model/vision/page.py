"""One page from pixels to lines: detect, cut, turn, read, order."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from model.vision.crop import cut_line, sideways_lines, upside_down
from model.vision.detect import Detector
from model.vision.inference import Pixels
from model.vision.order import reading_order
from model.vision.orient import Orientation
from model.vision.polygon import Polygon, measure
from model.vision.recogniser import ReadText, Recogniser
from model.vision.vertical import unstack

T = TypeVar("T")

_VOTERS = 5  # widest lines asked whether the page stands on its head
_DOUBTFUL = 0.8  # mean probability below which a line on an upright page is asked too
_READABLE = 0.5  # mean probability below which a line is noise


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line's text, its characters' mean probability, its confidence (0 to 1 both) and its box."""

    text: str
    mean_probability: float
    confidence: float
    polygon: Polygon


@dataclass(slots=True)
class PageReading:
    """The lines of a page in reading order, and where the time went."""

    lines: list[ReadLine] = field(default_factory=list)
    detect_ms: float = 0.0
    recognise_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Where a page's lines stand, the way to their pixels, and how many may be read at a time."""

    pixels: Pixels
    polygons: list[Polygon]
    sideways: set[int]
    check: Callable[[], None]
    threads: int

    def cut(self, index: int) -> Pixels:
        """Return a line's pixels, H x W x 3. Raises what `check` does."""
        self.check()
        return cut_line(self.pixels, self.polygons[index], sideways=index in self.sideways)


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
        """`threads` are the most that a page is given."""
        self.detector = detector
        self.orientation = orientation
        self.recogniser = recogniser
        self._most_threads = threads
        self._threads = ThreadPoolExecutor(threads)
        # All at once: a process that is locked starts no more.
        together = threading.Barrier(threads)
        wait([self._threads.submit(together.wait) for _ in range(threads)])

    def read(
        self, pixels: Pixels, *, detect: bool, check: Callable[[], None], threads: int = 0
    ) -> PageReading:
        """Return the lines of a page, H x W x 3; without `detect` it is one upright line.

        At most `threads` work on it; 0: all. `check` is called between the steps and lines, from
        any thread; what it raises ends the reading.
        """
        threads = threads or self._most_threads
        began = time.perf_counter()
        polygons = [_whole(pixels)]
        if detect:
            polygons = self.detector.find_lines(pixels, threads=threads)
        check()
        found = time.perf_counter()
        if detect:
            boxes = _Boxes(pixels, polygons, sideways_lines(polygons), check, threads)
            lines = self._read_boxes(boxes)
        else:
            lines = [self._read_line(pixels, polygons[0], turned=False)]
        return PageReading(
            [line for line in lines if line.text and line.mean_probability >= _READABLE],
            detect_ms=(found - began) * 1000,
            recognise_ms=(time.perf_counter() - found) * 1000,
        )

    def _read_boxes(self, boxes: _Boxes) -> list[ReadLine]:
        """Return what the boxes say, in reading order."""
        turned = self._turned(boxes)
        stacked: set[int] = set()

        def read_line(index: int) -> ReadLine:
            cut = boxes.cut(index)
            line = self._read_line(cut, boxes.polygons[index], turned=index in turned)
            # Of a line that lies on its left side, the letters are laid out last to first, and
            # networks that know letters in that position are just as sure of the wrong order.
            if index not in boxes.sideways or (
                index in turned and line.mean_probability >= _DOUBTFUL
            ):
                return line
            column = self._read_column(boxes.pixels, line)
            if column is not line:
                stacked.add(index)
            return column

        lines = self._side_by_side(boxes.threads, read_line, range(len(boxes.polygons)))
        # Columns go from right to left, as lines do on a page that lies on its right side.
        quarters = _quarter_turns(boxes.polygons, boxes.sideways, turned - stacked)
        return [lines[index] for index in reading_order(boxes.polygons, quarters)]

    def _turned(self, boxes: _Boxes) -> set[int]:
        """Return which lines stand on their heads.

        Upright pages hardly pay: only where most of the widest lines do is every line asked. Lines
        that run up or down always are, there is no telling otherwise which.
        """

        def upside_down(index: int) -> bool:
            return self.orientation.is_upside_down(boxes.cut(index))

        def asked(indices: Iterable[int]) -> set[int]:
            indices = list(indices)
            answers = self._side_by_side(boxes.threads, upside_down, indices)
            return {index for index, answer in zip(indices, answers, strict=True) if answer}

        level = set(range(len(boxes.polygons))) - boxes.sideways
        widest = sorted(level, key=lambda index: -measure(boxes.polygons[index])[0])[:_VOTERS]
        turned = asked(widest)
        if len(turned) > len(widest) / 2:
            turned |= asked(level - set(widest))
        return turned | asked(boxes.sideways)

    def _side_by_side(
        self, threads: int, work: Callable[[int], T], indices: Sequence[int]
    ) -> list[T]:
        """Return the work's results, in order, none of it still going on: it uses the pixels."""
        results: dict[int, T] = {}
        waiting = iter(indices)

        def go_on() -> None:
            for index in waiting:
                results[index] = work(index)

        futures = [self._threads.submit(go_on) for _ in range(min(threads, len(indices)))]
        wait(futures)
        for future in futures:
            future.result()
        return [results[index] for index in indices]

    def _read_line(self, line: Pixels, polygon: Polygon, *, turned: bool) -> ReadLine:
        """Read a cut line; where that goes badly, try it the other way up."""
        # A pixel that differs may be text: the recogniser reads letters two grey levels apart. All
        # at once: of small comparisons numpy keeps what it copied, and least and most take ten
        # times as long.
        if (line == line[0, 0]).all():
            return ReadLine("", 0.0, 0.0, polygon)
        read = self.recogniser.read_line(upside_down(line) if turned else line)
        if (
            read.mean_probability < _DOUBTFUL
            and not turned
            and self.orientation.is_upside_down(line)
        ):
            other = self.recogniser.read_line(upside_down(line))
            read = other if other.mean_probability > read.mean_probability else read
        return _placed(read, polygon)

    def _read_column(self, pixels: Pixels, line: ReadLine) -> ReadLine:
        """Read a line's box as a column of upright characters; return the surer of the two."""
        unstacked = unstack(cut_line(pixels, line.polygon, sideways=False))
        if unstacked is None:
            return line
        column = _placed(self.recogniser.read_line(unstacked), line.polygon)
        return column if column.mean_probability > line.mean_probability else line


def _placed(read: ReadText, polygon: Polygon) -> ReadLine:
    """Return what was read together with where it stands."""
    return ReadLine(read.text, read.mean_probability, read.confidence, polygon)


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
