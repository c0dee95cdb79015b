"""Reading a folder with one, two and three nodes: `python bench/scale.py`; see docs/scale.md.

Plain scripts/ocr behind nginx, with several --url, and with --cluster, each over the same documents
and the same capped hosts; then once more while a host is killed.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.documents import draw_documents
from bench.figures import in_turn, spread, table
from bench.lab_cluster import Cluster, cluster
from bench.lab_nodes import ROOT, Nodes, nodes
from bench.machine import describe

KINDS = {
    "nginx": "scripts/ocr, nginx before the services",
    "urls": "scripts/ocr, a --url for each service",
    "cluster": "scripts/ocr --cluster",
}
JOBS = 4  # files at a time of each service
TIMEOUT_S = 300
KILLED_AFTER = 0.4  # of the time that a run takes without


@dataclass
class Field:
    """What is measured: the nodes, the documents with so many pages, and the cluster if any."""

    nodes: Nodes
    documents: Path
    pages: int
    cluster: Cluster | None = None
    runs: int = field(default=0)

    def command(self, kind: str, number: int) -> list[str]:
        """Return the options that read with the first `number` nodes."""
        if kind == "cluster" and self.cluster is not None:
            return self.cluster.options
        chosen = self.nodes.services[:number]
        urls = [each.url for each in chosen] if kind == "urls" else [self.nodes.front(number)]
        jobs = JOBS if kind == "urls" else JOBS * number
        options = [word for url in urls for word in ("--url", url)]
        return [*options, "--ca", str(self.nodes.site.ca), "--jobs", str(jobs)]

    def start(self, kind: str, number: int, out: Path) -> "subprocess.Popen[Any]":
        """Start the command."""
        words = [f"{ROOT}/scripts/ocr", f"{self.documents}", "--out", f"{out}", "--quiet"]
        with (self.documents.parent / f"log{self.runs}").open("wb") as log:
            return self.nodes.run_client(
                [*words, *self.command(kind, number)], stdout=log, stderr=log
            )

    def read(self, kind: str, number: int, *, killed_after_s: float = 0.0) -> tuple[float, float]:
        """Read the documents; return the seconds, and those of the command when all is there.

        Raises:
            RuntimeError: a document was not read.

        """
        self.runs += 1
        out = self.documents.parent / f"out{self.runs}"
        seconds = []
        for _ in range(1 if killed_after_s else 2):
            began = time.perf_counter()
            process = self.start(kind, number, out)
            if killed_after_s:
                time.sleep(killed_after_s)
                self.nodes.services[number - 1].host.kill()
            status = process.wait(TIMEOUT_S)
            seconds.append(time.perf_counter() - began)
            said = (self.documents.parent / f"log{self.runs}").read_text("utf-8")
            if status or len(list(out.glob("*.txt"))) != len(list(self.documents.iterdir())):
                raise RuntimeError(f"{kind}, {number} nodes: status {status}\n{said}")
        shutil.rmtree(out)
        return seconds[0], seconds[-1]

    def prepare(self, kind: str, number: int) -> None:
        """Run so many workers, if the kind needs them, with their networks loaded."""
        if kind == "cluster" and self.cluster is not None and self.cluster.have(number):
            self.read(kind, number)


@dataclass
class Measured:
    """Of one kind and number of nodes, in each round: pages/s, seconds, seconds of a page."""

    pages_per_s: list[float] = field(default_factory=list)
    whole_s: list[float] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    page_s: list[float] = field(default_factory=list)


Found = dict[tuple[str, int], Measured]


def main() -> int:
    """Measure; print the tables."""
    arguments = parse()
    print(describe())
    with nodes(arguments.nodes, arguments.cores, client_cores=0.8) as made:
        folder = made.site.lab.directory / "documents"
        pages = draw_documents(
            folder, images=arguments.images, pdfs=arguments.pdfs, pages=arguments.pages
        )
        one = Field(made, folder, pages)
        with cluster(made) if "cluster" in arguments.kinds else nullcontext() as one.cluster:
            found = measure(one, arguments)
            show(found, killed(one, found, arguments), pages, arguments)
    return 0


def parse() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="scale", description=__doc__)
    parser.add_argument("--nodes", type=int, default=3, help="at most")
    parser.add_argument("--cores", type=float, default=0.35, help="of each node")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--pdfs", type=int, default=3, help="of --pages each")
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    return parser.parse_args()


def measure(one: Field, arguments: argparse.Namespace) -> Found:
    """Read with each kind and number of nodes, in turn."""
    found: Found = {}
    for round_number in range(arguments.rounds):
        for number in range(arguments.nodes, 0, -1):  # workers stop, and need not load again
            for kind in in_turn(arguments.kinds, round_number + number):
                one.prepare(kind, number)
                before = _used_s(one.nodes)
                whole_s, start_s = one.read(kind, number)
                measured = found.setdefault((kind, number), Measured())
                measured.whole_s.append(whole_s)
                measured.start_s.append(start_s)
                measured.pages_per_s.append(one.pages / (whole_s - start_s))
                measured.page_s.append((_used_s(one.nodes) - before) / one.pages)
    return found


def killed(
    one: Field, found: Found, arguments: argparse.Namespace
) -> dict[str, tuple[float, float]]:
    """Return the seconds of each kind with all nodes, and while the last one is killed."""
    lost, number = {}, arguments.nodes
    for kind in arguments.kinds if number > 1 else ():
        one.prepare(kind, number)
        whole_s = statistics.median(found[kind, number].whole_s)
        lost[kind] = whole_s, one.read(kind, number, killed_after_s=KILLED_AFTER * whole_s)[0]
        one.nodes.restart(number - 1)
    return lost


def _used_s(made: Nodes) -> float:
    return sum(each.host.cpu_s for each in made.services)


def show(
    found: Found, lost: dict[str, tuple[float, float]], pages: int, arguments: argparse.Namespace
) -> None:
    """Print the tables."""
    print(f"\n{pages} pages; nodes of {arguments.cores} cores; pages/s without the start\n")
    rows = []
    for (kind, number), each in sorted(found.items()):
        speed = statistics.median(each.pages_per_s)
        alone = statistics.median(found[kind, 1].pages_per_s)
        plain = statistics.median(found[arguments.kinds[0], number].pages_per_s)
        rows.append([KINDS[kind], str(number), spread(each.pages_per_s, 2), f"{speed / alone:.2f}x",
                     f"{speed / plain:.2f}x", f"{statistics.median(each.page_s) * 1e3:.0f}",
                     f"{statistics.median(each.start_s):.1f}"])  # fmt: skip
    head = ["", "nodes", "pages/s", "of one node's", f"of {KINDS[arguments.kinds[0]]}",
            "processor ms of the nodes a page", "the command alone, s"]  # fmt: skip
    print(table(head, rows))
    rows = [[KINDS[kind], f"{whole:.1f}", f"{with_loss:.1f}", f"{with_loss / whole:.2f}x"]
            for kind, (whole, with_loss) in lost.items()]  # fmt: skip
    if rows:
        print(
            f"\nThe last node killed after {KILLED_AFTER:.0%} of the time; all pages were read:\n"
        )
        print(table(["", "s without", "s with the loss", ""], rows))


if __name__ == "__main__":
    sys.exit(main())
