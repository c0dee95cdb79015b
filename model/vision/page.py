"""Read one page, from pixels to lines: detect, crop, rotate, recognise, order."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from model.vision.crop import crop_line, rotate_180, sideways_lines, trim_loose
from model.vision.detect import Detector
from model.vision.inference import Pixels
from model.vision.order import reading_order
from model.vision.orient import Orientation
from model.vision.polygon import Polygon, width_and_height
from model.vision.recogniser import RecognisedText, Recogniser
from model.vision.vertical import to_horizontal

T = TypeVar("T")

_ORIENTATION_SAMPLES = 5  # the widest lines, which show whether the page is upside down
_DOUBTFUL = 0.8  # mean probability below which a line of an upright page is classified, too
_READABLE = 0.5  # mean probability below which a line is noise


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line's text, mean probability, confidence (both 0 to 1) and polygon."""

    text: str
    mean_probability: float
    confidence: float
    polygon: Polygon


@dataclass(slots=True)
class PageReading:
    """The lines of a page in reading order, and the ms of each step."""

    lines: list[ReadLine] = field(default_factory=list)
    detect_ms: float = 0.0
    recognise_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class _DetectedLines:
    """A page with the boxes of its lines, and the number of threads that may read them."""

    pixels: Pixels
    polygons: list[Polygon]
    sideways: set[int]
    check: Callable[[], None]
    threads: int

    def crop(self, index: int) -> Pixels:
        """Return a line's pixels, H x W x 3. It raises what `check` raises."""
        self.check()
        sideways = index in self.sideways
        return trim_loose(crop_line(self.pixels, self.polygons[index], sideways=sideways))


class PageReader:
    """The networks that read a page, and the threads that recognise its lines in parallel."""

    def __init__(
        self,
        detector: Detector,
        orientation: Orientation,
        recogniser: Recogniser,
        *,
        threads: int,
    ) -> None:
        """Start `threads`, the most that a page may use."""
        self.detector = detector
        self.orientation = orientation
        self.recogniser = recogniser
        self._max_threads = threads
        self._threads = ThreadPoolExecutor(threads)
        # All threads start now: a restricted process can't start any.
        barrier = threading.Barrier(threads)
        wait([self._threads.submit(barrier.wait) for _ in range(threads)])

    def read(
        self, pixels: Pixels, *, detect: bool, check: Callable[[], None], threads: int = 0
    ) -> PageReading:
        """Return the lines of a page, H x W x 3; without `detect` it is one upright line.

        It uses at most `threads`; 0: all. `check` is called between steps and lines, from any
        thread; an exception that it raises ends the reading.
        """
        threads = threads or self._max_threads
        began = time.perf_counter()
        polygons = [_whole(pixels)]
        if detect:
            polygons = self.detector.find_lines(pixels, threads=threads)
        check()
        detected = time.perf_counter()
        if detect:
            lines = self._read_lines(
                _DetectedLines(pixels, polygons, sideways_lines(polygons), check, threads)
            )
        else:
            lines = [self._read_line(pixels, polygons[0], upside_down=False)]
        return PageReading(
            [line for line in lines if line.text and line.mean_probability >= _READABLE],
            detect_ms=(detected - began) * 1000,
            recognise_ms=(time.perf_counter() - detected) * 1000,
        )

    def _read_lines(self, detected: _DetectedLines) -> list[ReadLine]:
        """Return the texts of the detected lines, in reading order."""
        upside_down = self._upside_down_lines(detected)
        vertical: set[int] = set()

        def read_line(index: int) -> ReadLine:
            crop = detected.crop(index)
            line = self._read_line(crop, detected.polygons[index], upside_down=index in upside_down)
            # If a line is rotated the wrong way, its letters are in reverse order, and networks
            # that know rotated letters are as certain of that order as of the right one.
            if index not in detected.sideways or (
                index in upside_down and line.mean_probability >= _DOUBTFUL
            ):
                return line
            column = self._read_vertical(detected.pixels, line)
            if column is not line:
                vertical.add(index)
            return column

        lines = self._in_parallel(detected.threads, read_line, range(len(detected.polygons)))
        # Columns go from right to left, like the lines of a page that is rotated to the right.
        quarters = _quarter_turns(detected.polygons, detected.sideways, upside_down - vertical)
        return [lines[index] for index in reading_order(detected.polygons, quarters)]

    def _upside_down_lines(self, detected: _DetectedLines) -> set[int]:
        """Return the indices of the lines that are upside down.

        On most pages no line is: only if most of the widest lines are, all others are classified.
        Sideways lines always are, because nothing else shows their direction.
        """

        def is_upside_down(index: int) -> bool:
            return self.orientation.is_upside_down(detected.crop(index))

        def classify(indices: Iterable[int]) -> set[int]:
            indices = list(indices)
            results = self._in_parallel(detected.threads, is_upside_down, indices)
            return {index for index, result in zip(indices, results, strict=True) if result}

        level = set(range(len(detected.polygons))) - detected.sideways
        by_width = sorted(level, key=lambda index: -width_and_height(detected.polygons[index])[0])
        samples = by_width[:_ORIENTATION_SAMPLES]
        upside_down = classify(samples)
        if len(upside_down) > len(samples) / 2:
            upside_down |= classify(level - set(samples))
        return upside_down | classify(detected.sideways)

    def _in_parallel(
        self, threads: int, work: Callable[[int], T], indices: Sequence[int]
    ) -> list[T]:
        """Return the results, in order, once all work has ended: it uses the pixels."""
        results: dict[int, T] = {}
        waiting = iter(indices)

        def run() -> None:
            for index in waiting:
                results[index] = work(index)

        futures = [self._threads.submit(run) for _ in range(min(threads, len(indices)))]
        wait(futures)
        for future in futures:
            future.result()
        return [results[index] for index in indices]

    def _read_line(self, line: Pixels, polygon: Polygon, *, upside_down: bool) -> ReadLine:
        """Recognise a cropped line; if the result is doubtful, try it rotated by 180 degrees."""
        # Any difference may be text: the recogniser reads letters two grey levels apart. All
        # pixels in one comparison: minimum and maximum take ten times as long, and of small
        # comparisons numpy keeps the memory that it copied.
        if (line == line[0, 0]).all():
            return ReadLine("", 0.0, 0.0, polygon)
        text = self.recogniser.recognise(rotate_180(line) if upside_down else line)
        if (
            text.mean_probability < _DOUBTFUL
            and not upside_down
            and self.orientation.is_upside_down(line)
        ):
            other = self.recogniser.recognise(rotate_180(line))
            text = other if other.mean_probability > text.mean_probability else text
        return _read_line_at(polygon, text)

    def _read_vertical(self, pixels: Pixels, line: ReadLine) -> ReadLine:
        """Read a line's box as a column of upright characters; return the more probable result."""
        horizontal = to_horizontal(crop_line(pixels, line.polygon, sideways=False))
        if horizontal is None:
            return line
        column = _read_line_at(line.polygon, self.recogniser.recognise(horizontal))
        return column if column.mean_probability > line.mean_probability else line


def _read_line_at(polygon: Polygon, text: RecognisedText) -> ReadLine:
    """Return a recognised text with its polygon."""
    return ReadLine(text.text, text.mean_probability, text.confidence, polygon)


def _whole(pixels: Pixels) -> Polygon:
    """Return the box of the whole image."""
    height, width = pixels.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _quarter_turns(polygons: list[Polygon], sideways: set[int], upside_down: set[int]) -> int:
    """Return the rotations by 90 degrees, counter-clockwise, that make most lines upright."""
    votes = [0, 0, 0, 0]
    for index, polygon in enumerate(polygons):
        quarters = (1 if index in sideways else 0) + (2 if index in upside_down else 0)
        votes[quarters] += max(width_and_height(polygon))
    return votes.index(max(votes))
