"""Measures throughput by number of engine processes: `python bench/scaling.py [--images DIR]`.

The service runs once for each number of processes and is measured over HTTPS in alternation: one
page at a time, then as many at a time as keep all processes busy. The load generator runs on the
same cores; its share of one core is printed. All the services run at once, idle while another is
measured: half a gigabyte for each of their processes, nine for two cores. Prints Markdown.
"""

import argparse
import contextlib
import os
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import in_turn, spread, table
from bench.images import load_images
from bench.machine import describe
from bench.servers import launch_ours
from bench.variants import CRNN, Driver, Variant

Json = dict[str, Any]
Sizes = tuple[int, int]  # processes, threads


def sizes_here(cores: int) -> list[Sizes]:
    """Return what is compared: each process on one core; all cores for one; more than cores."""
    processes = sorted({*(1 << power for power in range(cores.bit_length())), cores})
    several = [(1, cores), (cores, cores), (2 * cores, 1)]
    return list(dict.fromkeys([*((each, 1) for each in processes), *several]))


@contextlib.contextmanager
def services(sizes: list[Sizes], recogniser: str) -> Iterator[dict[Sizes, Variant]]:
    """Run the service once for each of the sizes."""
    with contextlib.ExitStack() as stack:
        load = Driver("bench.load")
        stack.callback(load.close)
        found = {}
        for processes, threads in sizes:
            variables = {
                "OCR_ENGINE__PROCESSES": str(processes),
                "OCR_ENGINE__THREADS": str(threads),
                "OCR_ENGINE__MAX_WAITING": str(4 * processes),
            }
            server = stack.enter_context(launch_ours(recogniser, warm=True, variables=variables))
            pids = [server.process.pid]
            found[processes, threads] = Variant("ours", recogniser, load, server.job, pids, pids)
        yield found


def measure(variants: dict[Sizes, Variant], images: list[str], rounds: int) -> dict[Sizes, Json]:
    """Return the ms alone, the images a second and the generator's share, of every round."""
    found: dict[Sizes, Json] = {each: {"ms": [], "images_s": [], "client": []} for each in variants}
    for number in range(rounds + 1):
        for sizes, variant in in_turn([*variants.items()], number):
            alone = variant.ask(images, 1)
            busy = variant.ask(images * max(2, 2 * sizes[0] // len(images)), 2 * sizes[0])
            if number:  # the first round warms
                cell = found[sizes]
                cell["ms"] += [result["ms"] for result in alone["results"]]
                cell["images_s"].append(len(busy["results"]) / busy["seconds"])
                cell["client"].append(busy["cpu_s"] / busy["seconds"])
    return found


def show(found: dict[Sizes, Json]) -> None:
    """Print a row for each number of processes."""
    base = statistics.median(found[1, 1]["images_s"])
    rows = [
        [
            f"{processes} x {threads}",
            f"{statistics.median(cell['ms']):.0f}",
            spread(cell["images_s"], 2),
            f"{statistics.median(cell['images_s']) / base:.2f}x",
            f"{max(cell['client']):.1%}",
        ]
        for (processes, threads), cell in found.items()
    ]
    head = ["processes x threads", "alone, p50 ms", "images/s", "of 1 x 1", "client, of one core"]
    print("\n" + table(head, rows))


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="scaling", description=__doc__)
    parser.add_argument("--images", type=Path, help="folder with labels.jsonl")
    parser.add_argument("--take", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--recogniser", default=CRNN)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    print(f"{describe()}; load average {os.getloadavg()[0]:.1f} at the start")
    images = list(load_images(arguments.images, arguments.take))
    with services(sizes_here(arguments.cores), arguments.recogniser) as variants:
        show(measure(variants, images, arguments.rounds))


if __name__ == "__main__":
    main()
