"""Measures what a refusal costs: `python bench/refusals.py [--requests 1000] [--at-once 1]`.

Starts the service and sends requests that it refuses, one after another, over a connection that
stays open and over a new connection each. The figures are processor time of the web process, user
and system, divided by the requests; other load on the machine affects them less than wall time.
Prints Markdown; the exit status is 1 where a refusal over an open connection costs 0.5 ms or more.

For 503 every slot is held by a request whose body has not arrived, so nothing else is done
meanwhile. The last row is an app that responds 200 at once: the cost of HTTP/2 and TLS alone.
`--loops` also starts the service on uvloop (requirements/dev.txt) and compares.
"""

import argparse
import contextlib
import importlib.util
import os
import ssl
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import median_interval, spread, table
from bench.machine import describe
from bench.processes import cpu_s
from bench.refusal_cases import (
    FLOOR,
    KEY_LIMITS,
    PROCESSES,
    VARIABLES,
    WAITING,
    Case,
    cases,
    headers,
)
from bench.servers import PATIENCE_S, launch_ours
from bench.servers import Server as RunningService
from scripts.http2_client import Connection, Request, Server

TARGET_MS = 0.5
APPS = {"asyncio": "app:app", "uvloop": "bench.uvloop_app:app"}
BARE = "bench.bare_app:app"
RECOGNISER = "sealed-crnn-v2"  # is not started
WARM_UP = 20
SETTLE_S = 0.1

Figures = dict[str, list[float]]


class Subject:
    """A running service, and what it is asked."""

    def __init__(self, server: RunningService, cases: Sequence[Case]) -> None:
        self._pid = server.process.pid
        self._server = Server(("127.0.0.1", server.port), "localhost", f"localhost:{server.port}")
        self._trust = ssl.create_default_context(cafile=server.ca)
        self._hold = Request("POST", "/ocr", headers(server.keys[0]), unfinished=True)
        self.cases = {case.title: case for case in cases}

    def open_ms(self, title: str, requests: int, at_once: int) -> float:
        """Return the processor ms of a request over a connection that has been used before."""
        case = self.cases[title]
        with self._occupied(case), self._connection() as connection:
            connection.statuses(case.request, WARM_UP)
            began = self._cpu_s()
            check(case, connection.statuses(case.request, requests, at_once))
            return (self._cpu_s() - began) / requests * 1000

    def new_ms(self, title: str, connections: int) -> float:
        """Return the same of a connection, its TLS handshake, one request and its end."""
        case = self.cases[title]
        with self._occupied(case):
            began = self._cpu_s()
            for _ in range(connections):
                with self._connection() as connection:
                    check(case, connection.statuses(case.request))
            return (self._cpu_s() - began) / connections * 1000

    def _connection(self) -> contextlib.closing[Connection]:
        return contextlib.closing(Connection(self._server, self._trust, PATIENCE_S))

    def _cpu_s(self) -> float:
        """Return what the process has used when all is done that answers left behind."""
        time.sleep(SETTLE_S)
        return cpu_s([self._pid])

    @contextlib.contextmanager
    def _occupied(self, case: Case) -> Iterator[None]:
        """Hold every place where the case wants that."""
        if not case.busy:
            yield
            return
        with self._connection() as holder:
            for _ in range(PROCESSES + WAITING):
                holder.begin(self._hold)
            time.sleep(SETTLE_S)
            yield
        time.sleep(SETTLE_S)


def check(case: Case, statuses: set[int]) -> None:
    """Raise ValueError for other answers than the case wants."""
    if statuses != {case.status}:
        raise ValueError(f"{case.title}: answered {statuses}")


def measure(
    subjects: Sequence[Subject], counts: argparse.Namespace
) -> list[tuple[Figures, Figures]]:
    """Return each subject's ms by case, over open connections and new ones; they take turns."""
    found: list[tuple[Figures, Figures]] = [({}, {}) for _ in subjects]
    asked = list(zip(subjects, found, strict=True))
    titles = dict.fromkeys(title for subject in subjects for title in subject.cases)
    for number in range(counts.rounds):
        for title in titles:
            for subject, (open_ms, new_ms) in asked if number % 2 else reversed(asked):
                if title not in subject.cases:
                    continue
                upload = subject.cases[title].upload
                many = (counts.uploads, 1) if upload else (counts.requests, counts.at_once)
                open_ms.setdefault(title, []).append(subject.open_ms(title, *many))
                if not upload:
                    new_ms.setdefault(title, []).append(subject.new_ms(title, counts.connections))
    return found


def show(loop: str, cases: Sequence[Case], open_ms: Figures, new_ms: Figures) -> bool:
    """Print a loop's table; return whether every target is met."""
    rows, good = [], True
    for case in cases:
        values = open_ms[case.title]
        met = statistics.median(values) < TARGET_MS or not case.target
        good &= met
        new = spread(new_ms[case.title], 2) if case.title in new_ms else "-"
        word = ("met" if met else "missed") if case.target else "-"
        rows.append([case.title, spread(values, 3), new, word])
    head = [f"{loop}: processor ms of the web process", "open connection", "new connection",
            f"under {TARGET_MS} ms"]  # fmt: skip
    print("\n" + table(head, rows), flush=True)
    return good


def compare(title: str, asyncio_ms: Figures, uvloop_ms: Figures) -> None:
    """Print what uvloop changes, round by round, with its 95 % interval."""
    rows = []
    for name, before in asyncio_ms.items():
        after = uvloop_ms[name]
        shares = [new / old - 1 for old, new in zip(before, after, strict=True)]
        middle, low, high = median_interval(shares)
        rows.append([name, f"{statistics.median(before):.3f}", f"{statistics.median(after):.3f}",
                     f"{middle:+.0%} [{low:+.0%}, {high:+.0%}]"])  # fmt: skip
    print("\n" + table([title, "asyncio, ms", "uvloop, ms", "uvloop less asyncio"], rows))


def main() -> int:
    """Measure; return the exit status."""
    chosen = parse()
    print(describe(), f"load average {os.getloadavg()[0]:.1f}", sep="; ", flush=True)
    loops = list(APPS) if chosen.loops else ["asyncio"]
    with contextlib.ExitStack() as stack:
        subjects = []
        for app in [*(APPS[loop] for loop in loops), BARE]:
            server = stack.enter_context(
                launch_ours(RECOGNISER, app=app, limits=KEY_LIMITS, variables=VARIABLES)
            )
            asked = [FLOOR] if app == BARE else cases(*server.keys)
            subjects.append(Subject(server, asked))
        *found, bare = measure(subjects, chosen)
    shown = list(subjects[0].cases.values())
    good = [show(loop, shown, *ms) for loop, ms in zip(loops, found, strict=True)]
    show("asyncio", [FLOOR], *bare)
    if chosen.loops:
        for title, before, after in zip(("open", "new"), *found, strict=True):
            compare(f"{title} connection", before, after)
    return int(not good[0])


def parse() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="refusals", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--connections", type=int, default=50, help="new ones, a case and round")
    parser.add_argument("--uploads", type=int, default=20, help="requests with a body of 5 MB")
    parser.add_argument("--loops", action="store_true")
    chosen = parser.parse_args()
    if chosen.loops and importlib.util.find_spec("uvloop") is None:
        parser.error("--loops needs uvloop, which requirements/dev.txt has")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
