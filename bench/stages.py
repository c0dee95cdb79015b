"""Measures the stages of reading a page: `python bench/stages.py DIR... [--take N] [--turned 180]`.

Reads labelled pages in this process, stage by stage, with one thread and with two. A stage's time
is summed over the threads it ran on, so with two threads the stages add up to more than the page.
Also printed: each network's GFLOP/s, and this machine's own for a product of two matrices. Prints
Markdown.
"""

import argparse
import functools
import json
import os
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything imports onnxruntime
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # or numpy
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from bench.figures import table
from bench.machine import describe
from bench.pages import load_pages
from bench.pixels import pixels_of
from model.vision import engine, page
from model.vision.detection import detect
from model.vision.inference import Pixels
from model.vision.lines import line_reading, straighten
from model.vision.lines import recogniser as recognition
from model.vision.page import PageReader
from model.vision.result import as_json

# Operations of a network for one pixel of its input, multiplications and additions apart; counted
# from the ONNX files (tests/training/test_operations.py counts them again).
OPERATIONS = {
    "ppocrv3-det": 9335,
    "ppocrv6-small-det": 21158,
    "sealed-crnn-v2": 142000,
    "sealed-crnn": 140000,
    "ppocrv6-small": 142000,
    "ppocrv2-crnn": 101600,
}
_MATRIX = 1024
_WAITING = "waiting"  # for the threads whose work is counted there


class Stages:
    """The time spent in each stage, over all threads; what a stage calls is not counted in it."""

    def __init__(self) -> None:
        self.ms: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.pixels: Counter[str] = Counter()
        self._inner = threading.local()
        self._lock = threading.Lock()

    def time(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return the work, timed."""

        @functools.wraps(work)
        def timed(*args: Any, **kwargs: Any) -> Any:
            outside, self._inner.ms = getattr(self._inner, "ms", 0.0), 0.0
            began = time.perf_counter()
            result = work(*args, **kwargs)
            if isinstance(result, Iterator):
                result = list(result)
            spent = (time.perf_counter() - began) * 1000
            with self._lock:
                self.ms[stage] += spent - self._inner.ms
                self.calls[stage] += 1
                if "network" in stage:
                    blob = args[-1]
                    self.pixels[stage] += blob.shape[0] * blob.shape[2] * blob.shape[3]
            self._inner.ms = outside + spent
            return result

        return timed


def watch(reader: PageReader, stages: Stages) -> None:
    """Have every stage of a reader timed. For a process that does nothing else afterwards."""
    detector, recogniser, orientation = reader.detector, reader.recogniser, reader.orientation
    places: list[tuple[Any, str, str]] = [
        (detector, "find_lines", "detect: resize, normalise"),
        *((network, "run", "detect: network") for network in detector.networks.values()),
        (detect, "boxes", "detect: boxes"),
        (line_reading, "straighten", "cut lines"),
        (orientation, "upside_down_probability", "orientation"),
        (recogniser, "recognise", "recognise: resize, normalise"),
        (recogniser.network, "run", "recognise: network"),
        (recognition, "decode_ctc", "recognise: CTC"),
        (straighten, "to_horizontal", "columns"),
        (page, "arranged", "order"),
        (reader, "_in_parallel", _WAITING),
    ]
    for holder, attribute, stage in places:
        setattr(holder, attribute, stages.time(stage, getattr(holder, attribute)))


def read_page(image: Path, quarters: int, reader: PageReader, stages: Stages) -> float:
    """Read one page through every stage, turned; return the ms that passed, without turning it."""
    began = time.perf_counter()
    pixels: Pixels = stages.time("decode", pixels_of)(image)
    if quarters:
        turned = time.perf_counter()
        pixels = np.ascontiguousarray(np.rot90(pixels, quarters))
        began += time.perf_counter() - turned
    reading = stages.time("the rest", reader.read)(pixels, detect=True, check=lambda: None)
    stages.time("JSON", lambda: json.dumps(as_json(reading)))()
    return (time.perf_counter() - began) * 1000


def matrix_gflops() -> float:
    """Return what one core does in a product of two float32 matrices."""
    one = np.ones((_MATRIX, _MATRIX), np.float32)
    times = []
    for _ in range(10):
        began = time.perf_counter()
        one @ one
        times.append(time.perf_counter() - began)
    return 2 * _MATRIX**3 / min(times) / 1e9


def show(title: str, stages: Stages, pages_ms: list[float], networks: dict[str, str]) -> None:
    """Print a row for each stage."""
    pages = len(pages_ms)
    rows = []
    del stages.ms[_WAITING]
    for stage, spent in stages.ms.most_common():
        operations = OPERATIONS[networks[stage]] * stages.pixels[stage] if stage in networks else 0
        rows.append([
            stage, f"{spent / pages:.1f}", f"{spent / stages.ms.total():.1%}",
            f"{stages.calls[stage] / pages:.1f}",
            f"{operations / spent / 1e6:.0f}" if operations else "",
        ])  # fmt: skip
    print(f"### {title}\n")
    print(f"{statistics.mean(pages_ms):.0f} ms a page, {pages} readings.\n")
    print(table(["stage", "ms a page", "share", "times a page", "GFLOP/s"], rows) + "\n")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--take", type=int, default=1000, help="pages of each folder")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument(
        "--turned", type=int, choices=(0, 90, 180, 270), default=0, help="degrees, to the left"
    )
    parser.add_argument("--detector", default="ppocrv3-det")
    parser.add_argument("--recogniser", default="sealed-crnn-v2")
    chosen = parser.parse_args()
    networks = {"detect: network": chosen.detector, "recognise: network": chosen.recogniser}
    print(f"{describe()}; load average {os.getloadavg()[0]:.1f} at the start\n")
    print(f"One core multiplies matrices at {matrix_gflops():.0f} GFLOP/s.\n")
    for threads in (1, 2):
        parts = {"detector": chosen.detector, "recogniser": chosen.recogniser, "threads": threads}
        for folder in chosen.folders:
            reader, stages = engine.load(parts), Stages()
            images = [each.image for each in load_pages(folder)][: chosen.take]
            reader.read(pixels_of(images[0]), detect=True, check=lambda: None)
            watch(reader, stages)
            ms = [
                read_page(image, chosen.turned // 90, reader, stages)
                for _ in range(chosen.rounds)
                for image in images
            ]
            title = f"{folder.name}, {threads} thread{'s' * (threads > 1)}"
            title += f", turned by {chosen.turned} degrees" if chosen.turned else ""
            show(title, stages, ms, networks)


if __name__ == "__main__":
    main()
