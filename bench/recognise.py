"""Measures recognisers on lines: `python bench/recognise.py DIR... [--recogniser NAME]`.

DIR holds images and their `labels.jsonl`; the lines are the axis-aligned boxes of the polygons.
All recognisers read each line, one after the other, on one thread. Also printed: the time for a
line of 320 columns, the size of the file, and how reliable the confidence is. Prints Markdown. A
file of your own: `--file NAME=PATH`, read with NAME's settings.
"""

import argparse
import dataclasses
import hashlib
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything imports onnxruntime
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from bench.figures import spread, table
from bench.machine import describe
from bench.pages import CropScore, Page, load_pages, plain, share
from bench.pixels import pixels_of
from model.vision.inference import Pixels
from model.vision.lines.recogniser import RecognisedText, Recogniser
from model.weights import Weights, WeightsFile, load_manifest, pick

_TIMED_WIDTH_PX, _ROUNDS = 320, 40
_BANDS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.01)


class FileAt(WeightsFile):
    """Weights that lie anywhere: what is not shipped is measured, too."""

    def locate(self) -> Path:
        """Return the path as it was given."""
        return Path(self.path)


def crops_of(pages: Sequence[Page]) -> Iterator[tuple[str, Pixels]]:
    """Yield the text and pixels of every line that has a polygon."""
    for page in pages:
        pixels = pixels_of(page.image)
        for label in page.labels:
            if label.polygon is None:
                continue
            left, top = (max(0, min(axis)) for axis in zip(*label.polygon, strict=True))
            right, bottom = (max(axis) for axis in zip(*label.polygon, strict=True))
            crop = pixels[top:bottom, left:right]
            if crop.size:
                yield label.text, crop


def at(given: str) -> Weights:
    """Return the weights of NAME=PATH."""
    name, _, path = given.partition("=")
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    file = FileAt(None, path, digest)
    return dataclasses.replace(pick(name, "recogniser"), name=Path(path).stem, file=file)


def read_all(
    recognisers: dict[str, Recogniser], crops: Sequence[tuple[str, Pixels]]
) -> tuple[dict[str, list[RecognisedText]], dict[str, float]]:
    """Return each recogniser's answers and mean ms; they take turns line by line."""
    answers: dict[str, list[RecognisedText]] = {name: [] for name in recognisers}
    seconds = dict.fromkeys(recognisers, 0.0)
    for _, crop in crops:
        for name, recogniser in recognisers.items():
            began = time.perf_counter()
            answers[name].append(recogniser.recognise(crop))
            seconds[name] += time.perf_counter() - began
    return answers, {name: 1000 * spent / len(crops) for name, spent in seconds.items()}


def print_scores(
    crops: Sequence[tuple[str, Pixels]],
    answers: dict[str, list[RecognisedText]],
    each_ms: dict[str, float],
) -> None:
    """Print how many lines are exact, case kept and ignored, without and with spaces."""
    rows = []
    for name, read in answers.items():
        kept, folded = CropScore(), CropScore()
        for (truth, _), answer in zip(crops, read, strict=True):
            kept.add(truth, answer.text, folded=False)
            folded.add(truth, answer.text, folded=True)
        rows.append([
            name, str(kept.lines),
            share(kept.exact, kept.lines), share(kept.exact_spaced, kept.lines),
            share(kept.edits, kept.characters), share(folded.exact, folded.lines),
            share(folded.exact_spaced, folded.lines), share(folded.edits, folded.characters),
            f"{each_ms[name]:.1f}",
        ])  # fmt: skip
    head = [
        "recogniser", "lines", "exact", "with spaces", "CER", "case ignored: exact", "with spaces",
        "CER", "ms a line",
    ]  # fmt: skip
    print(table(head, rows) + "\n")


def print_reliability(
    crops: Sequence[tuple[str, Pixels]], answers: dict[str, list[RecognisedText]]
) -> None:
    """Print, for each band of confidence, how many of its lines are right."""
    head = ["confidence"] + [f"{low:g}-{min(high, 1):g}" for low, high in _pairs()]
    rows = []
    for name, read in answers.items():
        right = [
            plain(truth, folded=True) == plain(answer.text, folded=True)
            for (truth, _), answer in zip(crops, read, strict=True)
        ]
        cells = []
        for low, high in _pairs():
            band = [
                ok
                for ok, answer in zip(right, read, strict=True)
                if low <= answer.confidence < high
            ]
            cells.append(f"{share(sum(band), len(band))} of {len(band)}" if band else "-")
        rows.append([name, *cells])
    print(table(head, rows) + "\n")


def _pairs() -> list[tuple[float, float]]:
    return list(pairwise(_BANDS))


def print_times(weights: Sequence[Weights], recognisers: dict[str, Recogniser]) -> None:
    """Print the time for one line and the size of each file; the recognisers take turns."""
    height = {each.name: each.height_px for each in weights}
    noise = np.random.default_rng(1)
    lines = {
        name: noise.integers(0, 256, (height[name], _TIMED_WIDTH_PX, 3), np.uint8)
        for name in recognisers
    }
    times: dict[str, list[float]] = {name: [] for name in recognisers}
    for _ in range(_ROUNDS):
        for name, recogniser in recognisers.items():
            began = time.perf_counter()
            recogniser.recognise(lines[name])
            times[name].append((time.perf_counter() - began) * 1000)
    base = statistics.median(times.get("ppocrv6-small", next(iter(times.values()))))
    rows = []
    for each in weights:
        middle = statistics.median(times[each.name])
        size_mb = each.file.locate().stat().st_size / 1e6
        rows.append(
            [each.name, spread(times[each.name], 1), f"{middle / base:.2f}x", f"{size_mb:.1f}"]
        )
    print(
        table(["recogniser", "ms, 320 columns, 1 thread", "of ppocrv6-small's", "MB"], rows) + "\n"
    )


def main() -> None:
    """Measure what the command line asks for."""
    names = [name for name, entry in load_manifest().items() if entry.kind == "recogniser"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--recogniser", action="append", choices=names)
    parser.add_argument("--file", action="append", default=[], metavar="NAME=PATH", type=at)
    parser.add_argument("--every", type=int, default=1, help="take every nth line")
    chosen = parser.parse_args()
    weights = [*(pick(name, "recogniser") for name in chosen.recogniser or names), *chosen.file]
    recognisers = {each.name: Recogniser(each, threads=1) for each in weights}
    print(f"{describe()}\n")
    print_times(weights, recognisers)
    for folder in chosen.folders:
        crops = list(crops_of(load_pages(folder)))[:: chosen.every]
        if not crops:
            continue
        answers, each_ms = read_all(recognisers, crops)
        print(f"### {folder.name}\n")
        print_scores(crops, answers, each_ms)
        print_reliability(crops, answers)


if __name__ == "__main__":
    main()
