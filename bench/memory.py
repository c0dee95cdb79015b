"""Checks that memory does not grow: `python bench/memory.py [--requests 2000]`.

Sends images of varied sizes, some of them invalid, to the real service, and compares the resident
memory of its processes over the first `--step` requests with that over the last. The web process
may grow by 20 MB, the engines by 10 %; the exit status is 1 where one has grown more.

Then sends nothing until the engines have ended, and prints the memory that is left and how long the
next request takes, which starts them again.

An engine's memory depends on the size of the last page, by a few MB either way: each figure is the
median of samples taken 20 requests apart, summed over the engines.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import table
from bench.images import load_images
from bench.machine import describe
from bench.processes import role, rss_mb, tree
from bench.servers import Server, launch_ours
from bench.variants import CRNN, Driver
from bench.varied_images import BAD, GOOD, drawings

LOOK = 20
WEB_MB = 20
ENGINE_SHARE = 0.10

Sizes = dict[str, float]


def main() -> int:
    """Measure; return the exit status."""
    arguments = parse()
    print(describe(), flush=True)
    idle = {"OCR_ENGINE__IDLE_S": str(arguments.idle_s)}
    with launch_ours(arguments.recogniser, variables=idle) as service:
        load = Driver("bench.load")
        try:
            measured = measure(service, load, arguments)
            status = verdict(measured)
            rest(service, load, arguments.idle_s)
        finally:
            load.close()
    return status


def parse() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="memory", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--recogniser", default=CRNN)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step", type=int, default=100, help="requests that a figure stands for")
    parser.add_argument("--idle-s", type=float, default=10, help="[engine] idle_s of the service")
    arguments = parser.parse_args()
    if arguments.step < LOOK:
        parser.error(f"--step must be at least {LOOK}")
    if arguments.requests < 2 * arguments.step:
        parser.error(f"--requests must be at least {2 * arguments.step}")
    return arguments


def measure(service: Server, load: Driver, arguments: argparse.Namespace) -> list[Sizes]:
    """Return the sizes of the service's processes, by role, over every 100 requests."""
    measured: list[Sizes] = []
    step = arguments.step
    bodies = drawings(arguments.requests, arguments.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sealed-ocr-bench-") as folder:
        for number in range(arguments.requests // step):
            looks = []
            for _ in range(step // LOOK):
                send(service, load, islice(bodies, LOOK), Path(folder), arguments.concurrency)
                looks.append(sizes_of(service))
            sizes = {name: median(look.get(name, 0.0) for look in looks) for name in looks[-1]}
            measured.append(sizes)
            shown = ", ".join(f"{name} {size:.1f}" for name, size in sizes.items())
            seconds = time.monotonic() - began
            print(f"{(number + 1) * step:5d} requests, {seconds:4.0f} s: {shown} MB", flush=True)
    return measured


def send(
    service: Server,
    load: Driver,
    bodies: Iterable[tuple[bytes, bool]],
    folder: Path,
    concurrency: int,
) -> None:
    """Have the images read.

    Raises:
        ValueError: a good one was refused, or a bad one was not.

    """
    wanted = {}
    for place, (image, good) in enumerate(bodies):
        path = folder / str(place)
        path.write_bytes(image)
        wanted[str(path)] = good
    job = {**service.job, "images": list(wanted), "concurrency": concurrency}
    for result in load.ask(job)["results"]:
        expected = (GOOD,) if wanted[result["image"]] else BAD
        if result["status"] not in expected:
            raise ValueError(f"answered {result['status']} instead of {expected}")


def rest(service: Server, load: Driver, idle_s: float) -> None:
    """Wait until the idle engines are gone; show what is left, and what waking them takes."""
    busy = sizes_of(service)
    until = time.monotonic() + 10 * idle_s
    while sizes_of(service).keys() != {"web"} and time.monotonic() < until:
        time.sleep(1)
    left = sizes_of(service)
    image = next(iter(load_images(None, 1)))
    job = {**service.job, "images": [image], "concurrency": 1}
    first, second = (load.ask(job)["results"][0]["ms"] for _ in range(2))
    sums = " MB; idle ".join(f"{sum(each.values()):.0f}" for each in (busy, left))
    print(f"\nBusy {sums} MB. Then a request takes {first:.0f} ms, the next {second:.0f} ms.")


def sizes_of(service: Server) -> Sizes:
    """Return the resident memory of the service's processes, MB, summed by role."""
    sizes: Sizes = {}
    for pid in tree(service.process.pid):
        sizes[role(pid)] = sizes.get(role(pid), 0.0) + rss_mb(pid)
    return sizes


def verdict(measured: list[Sizes]) -> int:
    """Print beginning and end; return 1 where a target is missed."""
    first, last = measured[0], measured[-1]
    if first.keys() != last.keys():
        print(f"Other processes than at the beginning: {[*first]} became {[*last]}")
        return 1
    rows, missed = [], False
    for name, before in first.items():
        after = last[name]
        allowed = {"web": WEB_MB, "engine": before * ENGINE_SHARE}.get(name)
        over = allowed is not None and after - before > allowed
        missed |= over
        target = "-" if allowed is None else f"+{allowed:.0f} {'missed' if over else 'met'}"
        peak = max(sizes[name] for sizes in measured)
        rows.append([name, f"{before:.1f}", f"{after:.1f}", f"{after - before:+.1f}",
                     f"{peak:.1f}", target])  # fmt: skip
    head = ["RSS, MB", "first", "last", "change", "largest", "target"]
    print("\n" + table(head, rows))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
