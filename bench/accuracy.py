"""Measures how well whole pages are read: `python bench/accuracy.py DIR... [--rapidocr PYTHON]`.

DIR holds images and their `labels.jsonl`; pages are scored for each detector and recogniser
(bench/recognise.py scores lines). Given the Python of an environment that has rapidocr, rapidocr
reads the same images, one at a time, alternating with ours, on the same cores. Prints Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything imports onnxruntime
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.pages import Page, PageScore, load_pages, share
from bench.pixels import pixels_of
from model.vision.engine import load
from model.vision.page import PageReader
from model.weights import load_manifest


@dataclass(frozen=True)
class System:
    """Something that reads image files, and how many seconds of processor it has used."""

    read: Callable[[Path], Sequence[str]]
    cpu_s: Callable[[], float]


_RAPIDOCR = """
import json, logging, sys
from rapidocr import RapidOCR
logging.disable()
read = RapidOCR(params={"EngineConfig.onnxruntime.intra_op_num_threads": int(sys.argv[1])})
for path in sys.stdin:
    try:
        texts = list(read(path.strip()).txts or ())
    except Exception:
        texts = []
    print("\\n" + json.dumps(texts), flush=True)
"""


def print_pages(pages: list[Page], systems: dict[str, System], rounds: int) -> None:
    """Print the pages' scores, two rows for each system."""
    scores = {(name, folded): PageScore() for name in systems for folded in (True, False)}
    seconds: dict[str, float] = defaultdict(float)
    cpu_seconds: dict[str, float] = defaultdict(float)
    for page in pages:
        fastest = dict.fromkeys(systems, float("inf"))
        answers: dict[str, Sequence[str]] = {}
        for _ in range(rounds):
            for name, system in systems.items():
                began, used = time.perf_counter(), system.cpu_s()
                answers[name] = system.read(page.image)
                fastest[name] = min(fastest[name], time.perf_counter() - began)
                cpu_seconds[name] += (system.cpu_s() - used) / rounds
        for name in systems:
            seconds[name] += fastest[name]
            for folded in (True, False):
                scores[name, folded].add(page, answers[name], folded=folded)
    print("| system | pages | lines | found whole | CER | s a page | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for (name, folded), score in scores.items():
        print(
            f"| {name}{' (case ignored)' if folded else ''} | {score.pages} | {score.lines} "
            f"| {share(score.whole, score.lines)} | {share(score.edits, score.characters)} "
            f"| {seconds[name] / score.pages:.2f} | {cpu_seconds[name] / score.pages:.2f} |"
        )
    print()


def ours(reader: PageReader) -> System:
    """Return a function that reads an image file with our pipeline."""

    def read(image: Path) -> Sequence[str]:
        reading = reader.read(pixels_of(image), detect=True, check=lambda: None)
        return [line.text for line in reading.lines]

    return System(read, time.process_time)


def rapidocr(python: str, threads: int) -> System:
    """Return a function that reads an image file with rapidocr, in an environment of its own."""
    process = subprocess.Popen(
        [python, "-c", _RAPIDOCR, str(threads)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def read(image: Path) -> Sequence[str]:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes")
        print(image.resolve(), file=process.stdin, flush=True)
        for answer in process.stdout:
            if answer.startswith("["):
                texts: list[str] = json.loads(answer)
                return texts
        raise RuntimeError(f"{python} ended: is rapidocr installed there?")

    def cpu_s() -> float:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    return System(read, cpu_s)


def main() -> None:
    """Measure what the command line asks for."""
    manifest = load_manifest()
    kinds = {
        kind: [name for name, entry in manifest.items() if entry.kind == kind]
        for kind in ("detector", "recogniser")
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--rapidocr", metavar="PYTHON")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=1, help="the fastest of so many is the time")
    parser.add_argument("--detector", action="append", choices=kinds["detector"])
    parser.add_argument("--recogniser", action="append", choices=kinds["recogniser"])
    chosen = parser.parse_args()
    recognisers = chosen.recogniser or kinds["recogniser"]
    systems: dict[str, System] = {}
    for detector in chosen.detector or kinds["detector"]:
        for recogniser in recognisers:
            parts = {"detector": detector, "recogniser": recogniser, "threads": chosen.threads}
            systems[f"{detector}+{recogniser}"] = ours(load(parts))
    if chosen.rapidocr:
        systems["rapidocr"] = rapidocr(chosen.rapidocr, chosen.threads)
    for folder in chosen.folders:
        pages = load_pages(folder)
        print(f"### {folder.name}, {chosen.threads} threads\n")
        print_pages(pages, systems, chosen.rounds)


if __name__ == "__main__":
    main()
