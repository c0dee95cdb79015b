"""Measures what the audit trail costs: `python bench/audit.py [--rounds 15]`.

Three services, without an audit trail, with one, and with one that waits for the disk, get the same
requests in turns, over connections that stay open. Nothing is read: the files are no images, so the
cost of a request is that of receiving, recording and refusing it. The figures are processor time of
the web process, user and system, divided by the requests, and their difference in the same round;
other load on the machine affects them less than wall time. Prints Markdown.
"""

import argparse
import contextlib
import os
import secrets
import ssl
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import in_turn, median_interval, spread, table
from bench.machine import describe
from bench.processes import cpu_s
from bench.refusal_cases import KEY_LIMITS, VARIABLES, headers
from bench.servers import PATIENCE_S, launch_ours
from bench.servers import Server as RunningService
from scripts.http2_client import Connection, Request, Server

OFF = "off"
TRAIL = {"OCR_AUDIT__DIRECTORY": "trail", "OCR_AUDIT__KEY": secrets.token_hex(32)}
VARIANTS: dict[str, dict[str, str]] = {
    OFF: {},
    "on": TRAIL,
    "on, sync_s = 0": {**TRAIL, "OCR_AUDIT__SYNC_S": "0"},
}
BODIES = {"8 bytes": 8, "100 kB": 100_000, "5 MB": 4_999_000}
LARGE = 1_000_000
RECOGNISER = "sealed-crnn-v2"  # is not started
NO_IMAGE = 415
WARM_UP = 20
SETTLE_S = 0.1

Figures = dict[tuple[str, str], list[float]]


class Subject:
    """A running service, and a connection to it."""

    def __init__(self, server: RunningService, stack: contextlib.ExitStack) -> None:
        self._pid = server.process.pid
        self._key = server.keys[0]
        address = Server(("127.0.0.1", server.port), "localhost", f"localhost:{server.port}")
        trust = ssl.create_default_context(cafile=server.ca)
        connection = Connection(address, trust, PATIENCE_S)
        self._connection = stack.enter_context(contextlib.closing(connection))

    def send(self, size: int, requests: int) -> tuple[float, float]:
        """Return processor and wall ms of a request with so many bytes."""
        length = {"content-length": str(size), "content-type": "application/octet-stream"}
        request = Request("POST", "/ocr", headers(self._key) | length, b"x" * size)
        before, began = self._cpu_s(), time.perf_counter()
        statuses = self._connection.statuses(request, requests)
        took = time.perf_counter() - began
        if statuses != {NO_IMAGE}:
            raise ValueError(f"answered {statuses}")
        return (self._cpu_s() - before) / requests * 1000, took / requests * 1000

    def _cpu_s(self) -> float:
        """Return what the process has used when all is done that answers left behind."""
        time.sleep(SETTLE_S)
        return cpu_s([self._pid])


def main() -> int:
    """Measure; return the exit status."""
    chosen = parse()
    print(describe(), f"load average {os.getloadavg()[0]:.1f}", sep="; ", flush=True)
    processor: Figures = {}
    wall: Figures = {}
    with contextlib.ExitStack() as stack:
        subjects = {
            name: Subject(stack.enter_context(started(variables)), stack)
            for name, variables in VARIANTS.items()
        }
        for subject in subjects.values():
            subject.send(8, WARM_UP)
        for number in range(chosen.rounds):
            for body, size in BODIES.items():
                for name in in_turn(list(subjects), number):
                    many = chosen.uploads if size > LARGE else chosen.requests
                    cost, took = subjects[name].send(size, many)
                    processor.setdefault((body, name), []).append(cost)
                    wall.setdefault((body, name), []).append(took)
    print("\n" + table(*rows(processor, wall)))
    return 0


def started(variables: dict[str, str]) -> RunningService:
    """Return a service with these settings."""
    return launch_ours(RECOGNISER, limits=KEY_LIMITS, variables={**VARIABLES, **variables})


def rows(processor: Figures, wall: Figures) -> tuple[Sequence[str], list[list[str]]]:
    """Return the table: each variant against the one without an audit trail, round by round."""
    head = ["body", "audit trail", "processor ms", "more than off, ms", "wall ms"]
    found = []
    for (body, name), values in processor.items():
        more = [one - other for one, other in zip(values, processor[body, OFF], strict=True)]
        middle, low, high = median_interval(more)
        shown = "-" if name == OFF else f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]"
        took = f"{statistics.median(wall[body, name]):.2f}"
        found.append([body, name, spread(values, 3), shown, took])
    order = list(VARIANTS)
    found.sort(key=lambda row: (list(BODIES).index(row[0]), order.index(row[1])))
    return head, found


def parse() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="audit", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--uploads", type=int, default=10, help="requests with a body of 5 MB")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
