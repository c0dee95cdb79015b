"""The simulation agrees with what queueing theory says of simple cases."""

import math
import random
from itertools import accumulate

import pytest

from bench.capacity_model import Costs, Site, simulate

REQUESTS = 20_000
FAR = 10**9


def poisson(rate: float, seed: int = 1, requests: int = REQUESTS) -> list[float]:
    """Return the times of random arrivals."""
    draw = random.Random(seed)  # noqa: S311 - the same in each run
    return list(accumulate(draw.expovariate(rate) for _ in range(requests)))


def exponential(mean_s: float, seed: int = 2) -> list[float]:
    """Return random service times."""
    draw = random.Random(seed)  # noqa: S311 - the same in each run
    return [draw.expovariate(1 / mean_s) for _ in range(REQUESTS)]


def erlang_b(servers: int, offered: float) -> float:
    """Return the share of requests lost by `servers` without a queue (Erlang, 1917)."""
    share = 1.0
    for number in range(1, servers + 1):
        share = offered * share / (number + offered * share)
    return share


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (4, 0.8)])
def test_waiting_is_that_of_erlang_c(servers: int, load: float) -> None:
    """M/M/c: so many engines, a core each, and a queue without an end."""
    site = Site(cores=servers, engines=servers, decoders=FAR, waiting=FAR)
    found = simulate(site, Costs(exponential(1.0)), poisson(load * servers))
    lost = erlang_b(servers, load * servers)
    waits = lost / (1 - load * (1 - lost))
    expected_s = 1 + waits / (servers * (1 - load))
    assert math.fsum(found.latencies_s) / REQUESTS == pytest.approx(expected_s, rel=0.05)
    assert found.busy["hosts"] == pytest.approx(load, rel=0.03)


def test_losses_are_those_of_erlang_b() -> None:
    """M/M/c/c: without a queue."""
    site = Site(cores=4, engines=4, decoders=FAR, waiting=0)
    found = simulate(site, Costs(exponential(1.0)), poisson(4.0))
    assert found.refused_share == pytest.approx(erlang_b(4, 4.0), rel=0.05)


def test_shared_cores_are_insensitive() -> None:
    """M/G/1 with processor sharing: the mean depends on the mean of the service times alone."""
    site = Site(cores=1, engines=FAR, decoders=FAR, waiting=FAR)
    draw = random.Random(3)  # noqa: S311 - the same in each run
    for read_s in ([1.0], draw.choices([0.2, 3.4], [3, 1], k=REQUESTS)):
        found = simulate(site, Costs(read_s), poisson(0.6))
        assert math.fsum(found.latencies_s) / REQUESTS == pytest.approx(1 / 0.4, rel=0.06)


@pytest.mark.parametrize(("hosts", "cores"), [(1, 0.4), (3, 0.4), (10, 8)])
def test_a_full_site_reads_what_its_cores_can(hosts: int, cores: float) -> None:
    """Twice the capacity offered: half is refused, and the hosts are the limit."""
    costs = Costs([0.08, 0.12], decode_s=0.02, request_s=0.0, redis_s=1e-6, balancer_s=1e-6)
    most = hosts * cores / costs.page_s
    site = Site(hosts=hosts, cores=cores, engines=math.ceil(cores))
    found = simulate(site, costs, poisson(2 * most, requests=6000))
    assert found.pages_per_s == pytest.approx(most, rel=0.05)
    assert found.refused_share == pytest.approx(0.5, abs=0.04)
    assert found.limit == "hosts"


@pytest.mark.parametrize(
    ("part", "costs"), [("redis", {"redis_s": 0.1}), ("balancer", {"balancer_s": 0.4})]
)
def test_another_limit_is_named(part: str, costs: dict[str, float]) -> None:
    """redis and the balancer can be the limit, too; a second redis takes half of it."""
    arrivals = poisson(9.0, requests=2000)
    found = simulate(Site(hosts=10, storage_wait_s=FAR), Costs([0.1], **costs), arrivals)
    assert found.limit == part
    assert found.busy[part] == pytest.approx(0.9, rel=0.1)
    twice = simulate(
        Site(hosts=10, redis=2, balancer_cores=8, storage_wait_s=FAR),
        Costs([0.1], **costs),
        arrivals,
    )
    assert twice.busy[part] == pytest.approx(found.busy[part] / 2, rel=0.05)


def test_a_full_redis_refuses() -> None:
    """Above what redis can count, requests are refused once they would wait too long for it."""
    costs = Costs([0.001], redis_s=0.1)
    found = simulate(Site(hosts=2), costs, poisson(20.0, requests=1000))
    assert found.pages_per_s == pytest.approx(10, rel=0.05)
    assert found.refused_share == pytest.approx(0.5, abs=0.05)
    assert found.latency_s(0.99) < 1
