"""Read one page, from pixels to lines: detect, crop, rotate, recognise, order."""

import functools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TypeVar

from model.options import WordMode
from model.vision.blocks import Block
from model.vision.detection.detect import Detector
from model.vision.inference import Pixels
from model.vision.layout.arrangement import arranged
from model.vision.lines.column_boxes import column_parts, joined
from model.vision.lines.directions import Direction, possible_directions, sideways_lines, skew
from model.vision.lines.line_reading import LineReader, ReadLine, with_words
from model.vision.lines.margins import text_part
from model.vision.lines.orient import Orientation
from model.vision.lines.recogniser import READABLE, Recogniser
from model.vision.overprint.lifted import Lifted
from model.vision.overprint.lines_below import find_lines_below
from model.vision.overprint.seal_lines import surer_line
from model.vision.polygon import Polygon, whole_page, width_and_height
from model.vision.tables.rules import find_rules, no_rules
from model.vision.tables.split import split_at_rules

T = TypeVar("T")

_SAMPLES = 5  # the longest lines, which show the direction of the others


@dataclass(slots=True)
class PageReading:
    """The lines of a page in reading order, its blocks, and the ms of each step.

    Each line is in one block; the blocks are in the order of their lines. `rotation` is by how many
    degrees, a multiple of 90, most lines are turned clockwise, `skew` by how many more.
    """

    lines: list[ReadLine] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    rotation: int = 0
    skew: float = 0.0
    detect_ms: float = 0.0
    recognise_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class _DetectedLines:
    """A page with the boxes of its lines, and the number of threads that may read them."""

    pixels: Pixels
    lifted: Lifted
    polygons: list[Polygon]
    reader: LineReader
    check: Callable[[], None]
    threads: int

    def surer(self, read: Callable[[Pixels], ReadLine]) -> ReadLine:
        """Return what `read` gives for the lifted page, or for the page itself if surer."""
        plain = functools.partial(read, self.pixels)
        return surer_line(read(self.lifted.pixels), self.lifted.changed, plain)


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
        self,
        pixels: Pixels,
        *,
        detect: bool,
        check: Callable[[], None],
        by_columns: bool = True,
        words: WordMode = WordMode.NONE,
        threads: int = 0,
    ) -> PageReading:
        """Return the lines of a page, H x W x 3; without `detect` it is one line.

        That line is upright or upside down.

        Without `by_columns` the page is one block that is read row by row. It uses at most
        `threads`; 0: all. `check` is called between steps and lines, from any thread; an exception
        that it raises ends the reading.
        """
        threads = threads or self._max_threads
        reader = LineReader(self.orientation, self.recogniser, traced=words is not WordMode.NONE)
        began = time.perf_counter()
        polygons = [whole_page(*pixels.shape[:2])]
        rules = no_rules(polygons)
        if detect:
            find_lines = functools.partial(self.detector.find_lines, threads=threads, check=check)
            lifted, polygons = find_lines_below(pixels, find_lines)
            rules = find_rules(lifted.pixels, polygons)
            polygons = split_at_rules(lifted.pixels, polygons, rules)
        check()
        detected = time.perf_counter()
        if detect:
            lines = self._read_lines(
                _DetectedLines(pixels, lifted, polygons, reader, check, threads)
            )
        else:
            directions = [Direction.UPRIGHT, Direction.UPSIDE_DOWN]
            rows, columns = text_part(pixels)
            part = pixels[rows, columns]
            line = reader.read(part, whole_page(*part.shape[:2]), directions)
            trace = line.trace and line.trace.on(pixels, columns.start, rows.start)
            lines = [replace(line, polygon=polygons[0], trace=trace)]
        lines = [line for line in lines if line.text and line.mean_probability >= READABLE]
        if words is not WordMode.NONE:
            lines = self._in_parallel(
                lambda index: with_words(lines[index], words), range(len(lines)), check, threads
            )
        direction = _most_common(lines)
        return PageReading(
            *arranged(lines, direction, rules, by_columns=by_columns),
            direction.degrees,
            skew([line.polygon for line in lines if line.direction is direction], direction),
            detect_ms=(detected - began) * 1000,
            recognise_ms=(time.perf_counter() - detected) * 1000,
        )

    def _read_lines(self, detected: _DetectedLines) -> list[ReadLine]:
        """Return the texts of the detected lines."""
        polygons = detected.polygons
        sideways = sideways_lines(polygons)
        lines = self._read_longest(detected, sideways)
        common = {
            side: _most_common(line for i, line in lines.items() if (i in sideways) is side)
            for side in (False, True)
        }
        if common[True] is Direction.COLUMN:
            parts = column_parts(polygons, sideways)
            polygons = [joined([polygons[index] for index in group]) for group in parts]
            whole = {new: group[0] for new, group in enumerate(parts) if len(group) == 1}
            lines = {new: lines[index] for new, index in whole.items() if index in lines}
            sideways = {new for new, group in enumerate(parts) if group[0] in sideways}

        def read(index: int) -> ReadLine:
            first = common[index in sideways]
            if index in lines and lines[index].direction is first:
                return lines[index]
            directions = possible_directions(
                polygons[index], sideways=index in sideways, first=first
            )
            return detected.surer(
                lambda pixels: detected.reader.read(pixels, polygons[index], directions)
            )

        return self._in_parallel(read, range(len(polygons)), detected.check, detected.threads)

    def _read_longest(self, detected: _DetectedLines, sideways: set[int]) -> dict[int, ReadLine]:
        """Return the readings of the longest lines, level and sideways, by their indices.

        They show the direction of the others.
        """
        by_length = sorted(
            range(len(detected.polygons)),
            key=lambda index: -max(width_and_height(detected.polygons[index])),
        )
        longest = [
            *[index for index in by_length if index not in sideways][:_SAMPLES],
            *[index for index in by_length if index in sideways][:_SAMPLES],
        ]

        def read(index: int) -> ReadLine:
            polygon = detected.polygons[index]
            directions = possible_directions(polygon, sideways=index in sideways)
            return detected.surer(
                lambda pixels: detected.reader.read_any(pixels, polygon, directions)
            )

        return dict(
            zip(
                longest,
                self._in_parallel(read, longest, detected.check, detected.threads),
                strict=True,
            )
        )

    def _in_parallel(
        self,
        work: Callable[[int], T],
        indices: Sequence[int],
        check: Callable[[], None],
        threads: int,
    ) -> list[T]:
        """Return the results, in order, once all work has ended: it uses the pixels."""
        results: dict[int, T] = {}
        waiting = iter(indices)

        def run() -> None:
            for index in waiting:
                check()
                results[index] = work(index)

        futures = [self._threads.submit(run) for _ in range(min(threads, len(indices)))]
        wait(futures)
        for future in futures:
            future.result()
        return [results[index] for index in indices]


def _most_common(lines: Iterable[ReadLine]) -> Direction:
    """Return the direction of most lines, by their length; upright if there are none."""
    votes = dict.fromkeys(Direction, 0)
    for line in lines:
        votes[line.direction] += max(width_and_height(line.polygon))
    return max(votes, key=lambda direction: votes[direction])
