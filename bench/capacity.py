"""How many hosts a load needs: `python bench/capacity.py`; see docs/scale.md.

With --measure one host and three, capped, get the same requests as the simulation, whose figures
must agree with theirs (exit status 1 if not).
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.capacity_measured import (
    MEASURED,
    Load,
    arrivals_of,
    compare,
    difference,
    draw,
    figures,
    measure_costs,
)
from bench.capacity_model import Costs, Outcome, Site, simulate
from bench.figures import table
from bench.lab_nodes import nodes
from bench.machine import describe

# Processor seconds on one core of the machine named in RESULTS.md, and where each is from.
INPUTS = {
    "read_s": (0.70, "reading a receipt of 58 lines", "Accuracy of whole pages"),
    "decode_s": (0.010, "decoding it, in a process of its own", "Several machines"),
    "request_s": (0.005, "an upload of 0.2 MB, in the web process", "Several machines"),
    "redis_s": (0.00010, "redis: five scripts, at full load", "Several machines"),
    "balancer_s": (0.00073, "nginx: an upload of 0.2 MB, TLS on both sides", "Several machines"),
}
VARIED = (1.0, 0.4, 1.6, 0.7, 1.3)  # a page against the mean page
COSTS = Costs(
    [INPUTS["read_s"][0] * share for share in VARIED],
    **{name: value for name, (value, *_) in INPUTS.items() if name != "read_s"},
)
CORES = 8  # of a host
HOSTS = (1, 3, 10, 1000)
USED = 0.8  # of what the hosts can read, as offered
MILLION_AN_HOUR = 1e6 / 3600
STEADY_PAGES = 3  # after the time of so many pages, the hosts are as full as they get
TOLERANCE = 0.15
LOADS = (Load(1, 0.6), Load(3, 0.6), Load(1, 2.0), Load(3, 2.0))


def main() -> int:
    """Run what the command line asks for; print the tables."""
    arguments = parse()
    print(describe())
    if arguments.measure:
        return measure(arguments.cores, arguments.seconds, arguments.hosts)
    show_inputs()
    show_hosts(arguments.sites, arguments.requests)
    show_million(arguments.requests)
    return 0


def parse() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="capacity", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="compare it with capped hosts")
    parser.add_argument("--cores", type=float, default=0.35, help="of each of them")
    parser.add_argument("--seconds", type=float, default=20, help="of each load")
    parser.add_argument("--hosts", type=int, default=3, help="at most; 1 leaves the others out")
    parser.add_argument("--sites", type=int, nargs="+", default=HOSTS, help="hosts of each row")
    parser.add_argument("--requests", type=int, default=5_000, help="simulated for each row")
    return parser.parse_args()


def site_of(hosts: int, *, balancers: int = 1, redis: int = 1) -> Site:
    """Return a site of such hosts, each with an engine a core; a balancer has four cores."""
    return Site(hosts, CORES, engines=CORES, balancer_cores=4 * balancers, redis=redis)


def offered(site: Site, share: float, requests: int) -> Outcome:
    """Simulate a load that is a share of what the hosts can read."""
    rate = share * site.hosts * site.cores / COSTS.page_s
    begin = STEADY_PAGES * COSTS.page_s
    arrivals = arrivals_of(rate, begin + max(requests / rate, begin), 1)
    return simulate(site, COSTS, arrivals, steady_from=begin)


def show_inputs() -> None:
    """Print what the simulation is made from."""
    rows = [[what, f"{value * 1e3:g}", f"RESULTS.md, {where}"]
            for value, what, where in INPUTS.values()]  # fmt: skip
    print("\n" + table(["input", "processor ms", "from"], rows))


def show_hosts(sites: Sequence[int], requests: int) -> None:
    """Print what sites of several sizes do."""
    rows = []
    for hosts in sites:
        site = site_of(hosts, balancers=max(1, hosts // 100))
        usual, full = offered(site, USED, requests), offered(site, 2.0, requests)
        use = ", ".join(f"{name} {share:.0%}" for name, share in usual.busy.items())
        rows.append([f"{hosts:,}", f"{usual.pages_per_s:,.1f}", f"{usual.latency_s(0.5):.2f}",
                     f"{usual.latency_s(0.99):.2f}", f"{usual.refused_share:.1%}", use,
                     f"{full.pages_per_s:,.1f}", f"{full.refused_share:.0%}",
                     full.limit])  # fmt: skip
    head = ["hosts", f"pages/s at {USED:.0%}", "p50 s", "p99 s", "503", "used",
            "pages/s at twice the load they can read", "503", "limit"]  # fmt: skip
    print(f"\n{CORES} cores a host, a balancer of 4 cores for each 100 hosts, one redis:\n")
    print(table(head, rows))


def show_million(requests: int) -> None:
    """Print how many hosts read a million pages an hour."""
    hosts = math.ceil(MILLION_AN_HOUR * COSTS.page_s / (CORES * USED))
    share = MILLION_AN_HOUR * COSTS.page_s / (hosts * CORES)
    found = offered(site_of(hosts), share, requests)
    print(
        f"\nA million pages an hour, {MILLION_AN_HOUR:.0f} a second: {hosts} hosts of {CORES} cores"
        f" ({found.busy['hosts']:.0%} used), p50 {found.latency_s(0.5):.2f} s, p99"
        f" {found.latency_s(0.99):.2f} s, 503 {found.refused_share:.2%}; redis"
        f" {found.busy['redis']:.1%}, balancer of 4 cores {found.busy['balancer']:.1%}"
    )


def measure(cores: float, seconds: float, hosts: int) -> int:
    """Compare the simulation with hosts; return 1 if it is further off than TOLERANCE."""
    loads = [load for load in LOADS if load.hosts <= hosts]
    with nodes(hosts, cores) as made:
        page = draw(made.site.lab.directory)
        costs = measure_costs(made.services[0], page, max(3, round(seconds / 2)))
        costs = replace(costs, redis_s=COSTS.redis_s, balancer_s=COSTS.balancer_s)
        compared = compare(made, cores, loads, seconds=seconds, page=page, costs=costs)
    print(f"\nHosts of {cores} cores; a page takes {costs.page_s * 1e3:.0f} ms of processor time: "
          f"{costs.read_s[0] * 1e3:.0f} reading, {costs.decode_s * 1e3:.1f} decoding, "
          f"{costs.request_s * 1e3:.1f} in the web process\n")  # fmt: skip
    rows, worst = [], 0.0
    for load, measured, simulated in compared:
        row = [f"{load.hosts}, {load.times:g}x"]
        for name, one, other in zip(MEASURED, figures(measured), figures(simulated), strict=True):
            off = difference(one, other, name)
            worst = max(worst, off)
            row.append(f"{one:.3g} / {other:.3g} ({off:.0%})")
        rows.append(row)
    print(table(["hosts, load", *(f"{name}: measured / simulated" for name in MEASURED)], rows))
    print(f"\nLargest difference: {worst:.0%}; allowed {TOLERANCE:.0%}")
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
