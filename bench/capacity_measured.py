"""What capped hosts do under load, beside what the simulation says of the same arrivals."""

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from bench.capacity_model import Costs, Outcome, Site, simulate
from bench.documents import draw_page
from bench.lab_nodes import FRONT_CORES, Nodes
from bench.lab_service import LabService
from bench.processes import cpu_s, role, tree

WAITING = 8  # [engine] max_waiting, as shipped
MEASURED = ("pages/s", "p50, ms", "503, %")
SMALL_SHARE = 5.0  # a share of refusals is compared in points of per cent below this


@dataclass(frozen=True, slots=True)
class Load:
    """So many hosts, and what is offered, as a multiple of what their cores can read."""

    hosts: int
    times: float


def measure_costs(service: LabService, page: Path, requests: int) -> Costs:
    """Send a page so often, one request at a time; return what it takes."""
    content = page.read_bytes()
    with service.client() as client:
        for _ in range(3):
            client.post("/ocr", files={"image": content}).raise_for_status()
        web = service.process.pid
        engines = [pid for pid in tree(web) if role(pid) == "engine"]
        before = service.host.cpu_s, cpu_s([web]), cpu_s(engines)
        for _ in range(requests):
            client.post("/ocr", files={"image": content}).raise_for_status()
        after = service.host.cpu_s, cpu_s([web]), cpu_s(engines)
    whole, request_s, read_s = ((b - a) / requests for a, b in zip(before, after, strict=True))
    return Costs([read_s], decode_s=max(0.0, whole - request_s - read_s), request_s=request_s)


def arrivals_of(rate: float, seconds: float, seed: int) -> list[float]:
    """Return the times of random arrivals, at least two of them."""
    draw = random.Random(seed)  # noqa: S311 - the same in each run
    return list(accumulate(draw.expovariate(rate) for _ in range(max(2, round(rate * seconds)))))


def offer(nodes: Nodes, load: Load, page: Path, at_s: Sequence[float]) -> Outcome:
    """Send a page at these times; return what became of the requests."""
    job = {"url": nodes.front(load.hosts), "ca": str(nodes.site.ca), "key": nodes.site.key,
           "image": str(page), "at_s": list(at_s)}  # fmt: skip
    process = nodes.run_client([sys.executable, "-m", "bench.open_load"], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    output, _ = process.communicate(json.dumps(job), timeout=300)
    found = Outcome(0.0)
    for each in json.loads(output):
        if each["status"] == 200:  # noqa: PLR2004 - as HTTP has it
            found.latencies_s.append(each["seconds"])
            found.pages += 1
        else:
            found.refused += 1
        found.seconds = max(found.seconds, each["at_s"] + each["seconds"])
    return found


def compare(
    nodes: Nodes, cores: float, loads: Sequence[Load], *, seconds: float, page: Path, costs: Costs
) -> list[tuple[Load, Outcome, Outcome]]:
    """Return of each load what was measured, and what the simulation says.

    A page takes other processor time under load than alone, up to a tenth less: the simulation
    gets what it took in the load. How long requests wait is what it has to find out.
    """
    compared = []
    for number, load in enumerate(loads):
        at_s = arrivals_of(load.times * load.hosts * cores / costs.page_s, seconds, number)
        hosts = [service.host for service in nodes.services[: load.hosts]]
        before_s = sum(host.cpu_s for host in hosts)
        measured = offer(nodes, load, page, at_s)
        page_s = (sum(host.cpu_s for host in hosts) - before_s) / max(1, measured.pages)
        site = Site(load.hosts, cores, engines=1, waiting=WAITING, balancer_cores=FRONT_CORES)
        under_load = replace(costs, read_s=[costs.read_s[0] + page_s - costs.page_s])
        compared.append((load, measured, simulate(site, under_load, at_s)))
        time.sleep(0.5)
    return compared


def figures(outcome: Outcome) -> tuple[float, float, float]:
    """Return those of MEASURED."""
    p50_s = statistics.median(outcome.latencies_s or [0.0])
    return outcome.pages_per_s, p50_s * 1e3, outcome.refused_share * 100


def difference(measured: float, simulated: float, name: str) -> float:
    """Return how far the simulation is off, as a share; of few refusals, in points."""
    if name == MEASURED[2] and measured < SMALL_SHARE:
        return abs(simulated - measured) / 100
    return abs(simulated / measured - 1) if measured else float(simulated > 0)


def draw(folder: Path) -> Path:
    """Return a page that takes a capped host a part of a second."""
    file = folder / "page.png"
    draw_page(5, lines=2).save(file)
    return file
