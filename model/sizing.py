"""How many processes read, with how many threads, where the settings leave it to the machine."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_ENGINE_BYTES = 500_000_000  # what a reading process takes, at most (bench/RESULTS.md)
_SHARE = 0.5  # of the memory, for them all
# A page's detection gains a third from its second thread and hardly anything from more
# (docs/decisions/0004-detector.md); with eight reading its lines it is most of what is left.
_MOST_THREADS = 8
_CGROUP = Path("/sys/fs/cgroup")  # version 2; in a container it is the container's own

Wish = int | Literal["auto"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What this process may use: processors, and memory in bytes."""

    processors: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many processes read, each with how many threads; what the machine has; what is amiss."""

    processes: int
    threads: int
    machine: str
    warning: str | None


def this_machine(cgroup: Path = _CGROUP) -> Machine:
    """Return what the kernel grants: by affinity, and by the quota and limit of the cgroup."""
    processors = len(os.sched_getaffinity(0))
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    quota_us, _, period_us = _content(cgroup / "cpu.max").partition(" ")
    if quota_us.isdecimal():
        processors = min(processors, math.ceil(int(quota_us) / int(period_us)))
    limit = _content(cgroup / "memory.max")
    if limit.isdecimal():
        memory_bytes = min(memory_bytes, int(limit))
    return Machine(max(1, processors), memory_bytes)


def choose(processes: Wish, threads: Wish, *, machine: Machine, workers: int) -> Sizes:
    """Return the sizes in force for each of `workers` serving processes.

    One process for each processor gives the most images a second, as far as memory goes; a page
    that is read alone gets every processor.
    """
    fitting = int(machine.memory_bytes * _SHARE // _ENGINE_BYTES)
    serving = max(1, workers)
    chosen = max(1, min(machine.processors, fitting) // serving)
    sizes = (
        chosen if processes == "auto" else processes,
        min(machine.processors, _MOST_THREADS) if threads == "auto" else threads,
    )
    has = f"{machine.processors} processors, memory for {fitting} reading processes"
    warning = None
    if processes != "auto" and processes * serving > max(1, fitting):
        warning = f"[engine] processes = {processes}: half of the memory is enough for {fitting}"
    return Sizes(*sizes, f"{has}, {workers} serving" if workers > 1 else has, warning)


def _content(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except OSError:
        return ""
