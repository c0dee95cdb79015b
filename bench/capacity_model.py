"""Simulates requests through a balancer, redis and hosts: pages a second, latencies, refusals.

A host shares its cores equally between what runs (the web process, decoders, engines). A request
is counted in redis, admitted or refused (503), its page decoded and read, each by as many
processes at a time as the service has. The balancer sends a request to the host with the fewest.
"""

import heapq
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from bench.simulated_time import Clock, Cores, Places, Then


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds: of each page that is read and decoded in turn, and of a request."""

    read_s: Sequence[float]
    decode_s: float = 0.0
    request_s: float = 0.0
    redis_s: float = 0.0
    balancer_s: float = 0.0

    @property
    def page_s(self) -> float:
        """What a request of one page takes on a host."""
        return statistics.fmean(self.read_s) + self.decode_s + self.request_s


@dataclass(frozen=True, slots=True)
class Site:
    """How many there are; `engines`, `decoders` and `waiting` are of each host."""

    hosts: int = 1
    cores: float = 8
    engines: int = 8
    decoders: int = 2
    waiting: int = 8
    balancer_cores: float = 4
    redis: int = 1
    storage_wait_s: float = 0.5  # for redis; then a request is refused


@dataclass(slots=True)
class Outcome:
    """What happened to the requests; `busy` is the share of time that each part was used."""

    seconds: float
    latencies_s: list[float] = field(default_factory=list)
    pages: int = 0
    refused: int = 0
    busy: dict[str, float] = field(default_factory=dict)

    @property
    def pages_per_s(self) -> float:
        """Pages read in a second."""
        return self.pages / self.seconds

    @property
    def refused_share(self) -> float:
        """The share of requests that got a 503."""
        return self.refused / max(1, self.refused + len(self.latencies_s))

    @property
    def limit(self) -> str:
        """The part that is used most."""
        return max(self.busy, key=lambda name: self.busy[name])

    def latency_s(self, share: float) -> float:
        """Return the latency that this share of the served requests does not exceed."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Host:
    """The service on one machine."""

    def __init__(self, clock: Clock, site: Site, costs: Costs) -> None:
        self.cores = Cores(clock, site.cores)
        self.connections = self._admitted = 0
        self._most = site.engines + site.waiting
        self._costs = costs
        self._decoders, self._engines = Places(site.decoders), Places(site.engines)

    def read(self, read_s: float, done: Then, refuse: Then) -> None:
        """Read a page; or refuse it at once."""
        if self._admitted >= self._most:
            refuse()
            return
        self._admitted += 1

        def decode() -> None:
            self.cores.run(self._costs.decode_s, lambda: self._engines.take(read))

        def read() -> None:
            self._decoders.leave()
            self.cores.run(read_s, end)

        def end() -> None:
            self._admitted -= 1
            self._engines.leave()
            done()

        self._decoders.take(decode)


class LeastConnections:
    """The hosts by their requests; of those with as many, the one that has waited longest."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._order = count()
        self._heap = [(0, next(self._order), host) for host in hosts]  # also of earlier counts

    def take(self) -> Host:
        """Return the host that gets the next request."""
        while True:
            connections, _, host = heapq.heappop(self._heap)
            if connections == host.connections:
                self._change(host, 1)
                return host

    def give_back(self, host: Host) -> None:
        """Note that a host has a request less."""
        self._change(host, -1)

    def _change(self, host: Host, by: int) -> None:
        host.connections += by
        heapq.heappush(self._heap, (host.connections, next(self._order), host))


class Storage:
    """One redis or several, each of one core, that count in time or not at all."""

    def __init__(self, clock: Clock, site: Site, cost_s: float) -> None:
        self.stores = [Cores(clock, 1) for _ in range(site.redis)]
        self._cost_s, self._wait_s = cost_s, site.storage_wait_s

    def count(self, number: int, then: Then, refuse: Then) -> None:
        """Count a request; refuse it if it would wait too long."""
        store = self.stores[number % len(self.stores)]
        if len(store) * self._cost_s > self._wait_s:
            refuse()
        else:
            store.run(self._cost_s, then)


def simulate(
    site: Site, costs: Costs, arrivals: Sequence[float], *, steady_from: float | None = None
) -> Outcome:
    """Return what becomes of requests that arrive at these times.

    With `steady_from` only what is from then to the last arrival counts, not the start and the end.
    """
    clock = Clock()
    hosts = [Host(clock, site, costs) for _ in range(site.hosts)]
    least = LeastConnections(hosts)
    balancer = Cores(clock, site.balancer_cores)
    storage = Storage(clock, site, costs.redis_s)
    parts = {"hosts": [host.cores for host in hosts], "redis": storage.stores}
    parts["balancer"] = [balancer]
    begin, end = steady_from or 0.0, math.inf if steady_from is None else max(arrivals)
    outcome, marks = Outcome(0.0), []
    numbers = count()

    def mark() -> None:
        marks.append({name: sum(each.used() for each in cores) for name, cores in parts.items()})

    def arrive() -> None:
        began, number = clock.now, next(numbers)
        counted = began >= begin

        def choose() -> None:
            host = least.take()

            def admit() -> None:
                host.read(costs.read_s[number % len(costs.read_s)], done, refuse)

            def limits() -> None:
                storage.count(number, admit, refuse)

            def done() -> None:
                least.give_back(host)
                outcome.pages += begin <= clock.now <= end
                if counted:
                    outcome.latencies_s.append(clock.now - began)

            def refuse() -> None:
                least.give_back(host)
                outcome.refused += counted

            host.cores.run(costs.request_s, limits)

        balancer.run(costs.balancer_s, choose)

    clock.at(begin, mark)
    if end < math.inf:
        clock.at(end, mark)
    clock.run(arrivals, arrive)
    mark()
    outcome.seconds = max(min(clock.now, end) - begin, 1e-9)
    before, after = marks[:2]
    cores = {"hosts": site.cores * site.hosts, "redis": site.redis, "balancer": site.balancer_cores}
    outcome.busy = {
        name: (after[name] - before[name]) / (outcome.seconds * number)
        for name, number in cores.items()
    }
    return outcome
