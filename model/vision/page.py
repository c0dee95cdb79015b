"""Read one page, from pixels to lines: detect, crop, rotate, recognise, order."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from model.vision.crop import crop_line, trim_loose
from model.vision.detect import Detector
from model.vision.directions import quarter_turns, sideways_lines, upside_down_lines
from model.vision.inference import Pixels
from model.vision.line_reading import DOUBTFUL, LineReader, ReadLine
from model.vision.order import reading_order
from model.vision.orient import Orientation
from model.vision.polygon import Polygon
from model.vision.recogniser import Recogniser
from model.vision.seal_lift import Lifted, lift_seals
from model.vision.seal_lines import surer_line
from model.vision.table_rules import find_rules
from model.vision.table_split import split_at_rules

T = TypeVar("T")

_READABLE = 0.5  # mean probability below which a line is noise


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
    lifted: Lifted
    polygons: list[Polygon]
    sideways: set[int]
    check: Callable[[], None]
    threads: int

    def crop(self, index: int, *, plain: bool = False) -> Pixels:
        """Return a line's pixels, H x W x 3, without seals; `plain`: as they are on the page.

        It raises what `check` raises.
        """
        self.check()
        pixels = self.pixels if plain else self.lifted.pixels
        return trim_loose(crop_line(pixels, self.polygons[index], sideways=index in self.sideways))


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
        self._lines = LineReader(orientation, recogniser)
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
            lifted = lift_seals(pixels)
            polygons = self.detector.find_lines(lifted.pixels, threads=threads)
            rules = find_rules(lifted.pixels, polygons)
            polygons = split_at_rules(lifted.pixels, polygons, rules)
        check()
        detected = time.perf_counter()
        if detect:
            lines = self._read_lines(
                _DetectedLines(pixels, lifted, polygons, sideways_lines(polygons), check, threads)
            )
        else:
            lines = [self._lines.read(pixels, polygons[0], upside_down=False)]
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
            def read(crop: Pixels) -> ReadLine:
                turned = index in upside_down
                return self._lines.read(crop, detected.polygons[index], upside_down=turned)

            line = surer_line(
                read(detected.crop(index)),
                detected.lifted.seals,
                lambda: read(detected.crop(index, plain=True)),
            )
            # If a line is rotated the wrong way, its letters are in reverse order, and networks
            # that know rotated letters are as certain of that order as of the right one.
            if index not in detected.sideways or (
                index in upside_down and line.mean_probability >= DOUBTFUL
            ):
                return line
            column = self._lines.read_vertical(detected.lifted.pixels, line)
            if column is not line:
                vertical.add(index)
            return column

        lines = self._in_parallel(detected.threads, read_line, range(len(detected.polygons)))
        # Columns go from right to left, like the lines of a page that is rotated to the right.
        quarters = quarter_turns(detected.polygons, detected.sideways, upside_down - vertical)
        return [lines[index] for index in reading_order(detected.polygons, quarters)]

    def _upside_down_lines(self, detected: _DetectedLines) -> set[int]:
        """Return the indices of the lines that are upside down."""

        def is_upside_down(index: int) -> bool:
            return self.orientation.is_upside_down(detected.crop(index))

        def classify(indices: Iterable[int]) -> set[int]:
            indices = list(indices)
            results = self._in_parallel(detected.threads, is_upside_down, indices)
            return {index for index, result in zip(indices, results, strict=True) if result}

        return upside_down_lines(detected.polygons, detected.sideways, classify)

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


def _whole(pixels: Pixels) -> Polygon:
    """Return the box of the whole image."""
    height, width = pixels.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
