"""Measures the field cases and the labelled pages: `python bench/field.py [--rapidocr PYTHON]`.

Reads each file as the service does, with the real decoder and engine processes, one at a time, and
prints Markdown: the cases by kind and one by one, then the labelled sets with lines found whole and
CER (both case ignored), ms and processor ms a page. `--json OUT` saves the figures; with the OUT of
an earlier run, `--compare` prints what is better and worse. `--kind` and `--files` choose cases,
`--sets` the sets.

A case is right with at most 2 % of its letters lost and a CER of at most 5 %, plausible with at
most 10 % lost, otherwise wrong; for stamps and watermarks, whose own words may be read, additional
letters do not count. rapidocr reads images only; what it fails on has the status 0.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything imports onnxruntime
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.accuracy import rapidocr
from bench.field_scores import Answer, Case, Results, score_case, score_page
from bench.field_tables import print_all
from bench.inprocess import new_reader
from bench.pages import load_pages
from bench.processes import cpu_s, tree
from handlers.problem_table import PROBLEMS
from model.errors import ReadingError
from model.reader import Reader

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
FIELD = "field"
_API_KIND = "api"  # whole requests; tests send them
_IMAGES = {".png", ".jpg"}

Read = Callable[[Path], Awaitable[Answer]]


def load_cases(folder: Path, kinds: Collection[str], files: Collection[str]) -> list[Case]:
    """Return the cases of a folder; with `kinds` or `files`, those only."""
    records = map(json.loads, (folder / "cases.jsonl").read_text("utf-8").splitlines())
    return [
        Case(
            folder / each["file"], each["kind"], tuple(each["truth"] or ()), each["expected_status"]
        )
        for each in records
        if each["kind"] != _API_KIND
        and (not kinds or each["kind"] in kinds)
        and (not files or each["file"] in files)
    ]


def ours(reader: Reader) -> Read:
    """Return a function that reads a file with the service's processes."""

    async def read(file: Path) -> Answer:
        children = tree(os.getpid())[1:]
        used = cpu_s(children)
        lines: tuple[str, ...] = ()
        status, ms = 200, 0.0
        try:
            pages = await reader.read(file.read_bytes())  # noqa: ASYNC240
            lines = tuple(line.text or "" for page in pages for line in page.lines)
            ms = sum(page.timing_ms["total"] for page in pages)
        except ReadingError as error:
            status = next(PROBLEMS[kind].status for kind in type(error).mro() if kind in PROBLEMS)
        return Answer(lines, status, ms, (cpu_s(children) - used) * 1000)

    return read


def peer(python: str, threads: int) -> Read:
    """Return a function that reads an image with rapidocr."""
    system = rapidocr(python, threads)

    async def read(file: Path) -> Answer:
        if file.suffix not in _IMAGES:
            return Answer(status=0)
        began, used = time.perf_counter(), system.cpu_s()
        lines = tuple(system.read(file))
        ms = (time.perf_counter() - began) * 1000
        return Answer(lines, 200, ms, (system.cpu_s() - used) * 1000)

    return read


async def measure(read: Read, cases: list[Case], folders: list[Path], rounds: int) -> Results:
    """Return the scores of a system; of several rounds, the fastest time counts."""

    async def fastest(file: Path) -> Answer:
        answers = [await read(file) for _ in range(rounds)]
        return min(answers, key=lambda answer: answer.cpu_ms)

    results = Results()
    for case in cases:
        results.cases[case.file.name] = score_case(case, await fastest(case.file))
    for folder in folders:
        pages = load_pages(folder)
        results.sets[folder.name] = {
            page.image.name: score_page(page, await fastest(page.image)) for page in pages
        }
    return results


async def run(chosen: argparse.Namespace) -> None:
    """Measure what the command line asks for, and print it."""
    cases = load_cases(chosen.data / FIELD, chosen.kind, chosen.files)
    if FIELD not in chosen.sets:
        cases = []
    folders = [chosen.data / name for name in chosen.sets if name != FIELD]
    systems: dict[str, Results] = {}
    reader = new_reader(chosen.recogniser, engines=1, threads=chosen.threads)
    try:
        await reader.warm()
        systems["ours"] = await measure(ours(reader), cases, folders, chosen.rounds)
    finally:
        await reader.aclose()
    if chosen.rapidocr:
        read = peer(chosen.rapidocr, chosen.threads)
        systems["rapidocr"] = await measure(read, cases, folders, chosen.rounds)
    if chosen.json:
        saved = {name: results.as_json() for name, results in systems.items()}
        chosen.json.write_text(json.dumps(saved, ensure_ascii=False, indent=1), "utf-8")
    before = None
    if chosen.compare:
        before = Results.from_json(json.loads(chosen.compare.read_text("utf-8"))["ours"])
    print_all(systems, before=before)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the sets")
    parser.add_argument("--sets", nargs="+", default=[FIELD, "receipts_en", "pages_zh"])
    parser.add_argument("--kind", nargs="+", default=[], help="of field cases")
    parser.add_argument("--files", nargs="+", default=[], help="of field cases")
    parser.add_argument("--rapidocr", metavar="PYTHON", help="of an environment that has it")
    parser.add_argument("--recogniser", default="sealed-crnn-v2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="the fastest of so many is the time")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--compare", type=Path, metavar="BEFORE")
    chosen = parser.parse_args()
    if (chosen.kind or chosen.files) and "--sets" not in sys.argv:
        chosen.sets = [FIELD]
    asyncio.run(run(chosen))


if __name__ == "__main__":
    main()
