"""Measures the boxes of words: `python bench/words.py [--rapidocr PYTHON]`.

Pages are drawn in many ways; the box of each word's ink is known. For each way: how many words were
found (their texts, near their places), the median of the common area of both boxes as a share of
that of either, the same along the line only, and how many boxes have their middle in the true one.
rapidocr, in an environment of its own, gives each word the height of its line: compare along the
line. Then: the processor time of a page with words, as a share of that without, alternating.
Prints Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything imports onnxruntime
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from PIL import Image

from bench.figures import table
from bench.machine import describe
from bench.pages import load_pages
from bench.pixels import pixels_of
from bench.word_pages import KINDS, WordPage
from bench.word_scores import Box, matched
from model.options import WordMode
from model.vision.engine import load
from model.vision.page import PageReader

Reads = Callable[[WordPage], Sequence[Box]]

_RAPIDOCR = """
import json, logging, sys
from rapidocr import RapidOCR
logging.disable()
read = RapidOCR()
for line in sys.stdin:
    path, detect = json.loads(line)
    try:
        found = read(path, use_det=detect, return_word_box=True).word_results or ()
        words = [(text, [list(map(float, point)) for point in box])
                 for line in found for text, _, box in line if box is not None]
    except Exception:
        words = []
    print("\\n" + json.dumps(words), flush=True)
"""


@dataclass(frozen=True)
class Word:
    """A word that another system has read."""

    text: str
    polygon: list[list[float]]


def ours(reader: PageReader, mode: WordMode) -> Reads:
    """Return a function that reads the words of a page with our pipeline."""

    def read(page: WordPage) -> Sequence[Box]:
        pixels = np.ascontiguousarray(page.pixels)
        reading = reader.read(pixels, detect=page.detect, check=lambda: None, words=mode)
        return [word for line in reading.lines for word in line.words]

    return read


def rapidocr(python: str, folder: Path) -> Reads:
    """Return a function that reads the words of a page with rapidocr."""
    process = subprocess.Popen(
        [python, "-c", _RAPIDOCR], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip

    def read(page: WordPage) -> Sequence[Box]:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes")
        Image.fromarray(page.pixels).save(folder / "page.png")
        request = json.dumps([str(folder / "page.png"), page.detect])
        print(request, file=process.stdin, flush=True)
        for answer in process.stdout:
            if answer.startswith("["):
                return [Word(*word) for word in json.loads(answer)]
        raise RuntimeError(f"{python} ended: is rapidocr installed there?")

    return read


def show_boxes(title: str, read: Reads, mode: WordMode, kinds: Sequence[str]) -> None:
    """Print a row for each kind of page."""
    rows = []
    for kind in kinds:
        page = KINDS[kind](mode)
        matches = matched(page.words, read(page))
        found = [match for match in matches if match.found]
        shares = [f"{median(shares):.2f}" if found else "" for shares in (
            [match.iou for match in found], [match.along for match in found])]  # fmt: skip
        rows.append([
            kind, f"{len(found)} of {len(matches)}", *shares,
            f"{sum(match.inside for match in found)} of {len(found)}",
        ])  # fmt: skip
    print(f"### {title}\n")
    headings = ["page", "found", "common area", "along the line", "middle in the true box"]
    print(table(headings, rows) + "\n")


def show_costs(reader: PageReader, pages: dict[str, list[Path]], rounds: int) -> None:
    """Print the processor time of the same pages without words and with them."""
    rows = []
    for name, images in pages.items():
        spent = dict.fromkeys(WordMode, 0.0)
        for image in images:
            pixels = pixels_of(image)
            for _ in range(rounds):
                for mode in WordMode:
                    began = time.process_time()
                    reader.read(pixels, detect=True, check=lambda: None, words=mode)
                    spent[mode] += time.process_time() - began
        without = spent[WordMode.NONE]
        ms = f"{without / rounds / len(images) * 1000:.0f}"
        ratios = [f"{spent[mode] / without:.3f}" for mode in (WordMode.WORD, WordMode.CHAR)]
        rows.append([name, str(len(images)), ms, *ratios])
    print("### Processor time\n")
    print(table(["pages", "number", "ms a page without", "words", "characters"], rows) + "\n")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="labelled pages, for the time")
    parser.add_argument("--rapidocr", metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--take", type=int, default=1000, help="pages of each folder")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    chosen = parser.parse_args()
    print(f"{describe()}; load average {os.getloadavg()[0]:.1f} at the start\n")
    reader = load({"detector": "ppocrv3-det", "recogniser": "sealed-crnn-v2", "threads": 1})
    for mode, title in ((WordMode.WORD, "Words"), (WordMode.CHAR, "Characters")):
        show_boxes(title, ours(reader, mode), mode, chosen.kinds)
    if chosen.rapidocr:
        with tempfile.TemporaryDirectory() as folder:
            read = rapidocr(chosen.rapidocr, Path(folder))
            show_boxes("Words, rapidocr", read, WordMode.WORD, chosen.kinds)
    pages = {
        str(folder.name): [page.image for page in load_pages(folder)][: chosen.take]
        for folder in chosen.folders
    }
    pages = pages or {"the receipt": [Path(__file__).parent.parent / "examples" / "receipt.png"]}
    show_costs(reader, pages, chosen.rounds)


if __name__ == "__main__":
    main()
