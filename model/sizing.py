"""The number of engines and of their threads, where the settings say "auto"."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_ENGINE_BYTES = 500_000_000  # the most that an engine takes (bench/RESULTS.md)
_SHARE = 0.5  # of the memory, for all engines
# What the processes need without a page (bench/RESULTS.md): an engine, and all others with the
# bodies of requests. The least that is left for pages is enough for one of 10 megapixels.
_IDLE_ENGINE_BYTES, _OTHER_BYTES, _MIN_PAGE_BYTES = 150_000_000, 500_000_000, 200_000_000
# A spare engine must leave enough for any page that the settings allow as shipped.
_ANY_PAGE_BYTES = 1_000_000_000
# The second thread makes detection a third faster, further ones hardly at all
# (docs/decisions/0004-detector.md); beyond eight threads, detection is most of a page's time.
_MAX_THREADS = 8
_CGROUP = Path("/sys/fs/cgroup")  # version 2; in a container, this is the container's cgroup

Count = int | Literal["auto"]


@dataclass(frozen=True, slots=True)
class Machine:
    """The resources of this process: processors, and memory in bytes."""

    processors: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """Engines, threads of each, bytes for pages, the machine in words, and a warning if need be.

    `spare` engines more are for callers that have no page in one.
    """

    processes: int
    spare: int
    threads: int
    page_memory_bytes: int
    machine: str
    warning: str | None


def this_machine(cgroup: Path = _CGROUP) -> Machine:
    """Return the resources by the CPU affinity and by the cgroup's CPU quota and memory limit."""
    processors = len(os.sched_getaffinity(0))
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    quota_us, _, period_us = _content(cgroup / "cpu.max").partition(" ")
    if quota_us.isdecimal():
        processors = min(processors, math.ceil(int(quota_us) / int(period_us)))
    limit = _content(cgroup / "memory.max")
    if limit.isdecimal():
        memory_bytes = min(memory_bytes, int(limit))
    return Machine(max(1, processors), memory_bytes)


def choose(
    processes: Count,
    threads: Count,
    *,
    page_memory_bytes: Count,
    machine: Machine,
    workers: int,
) -> Sizes:
    """Return the sizes for each of `workers` web processes.

    One engine a processor gives the most images a second, if there is enough memory; a page that is
    read alone gets every processor.
    """
    fitting = int(machine.memory_bytes * _SHARE // _ENGINE_BYTES)
    serving = max(1, workers)
    chosen = max(1, min(machine.processors, fitting) // serving)
    engines = chosen if processes == "auto" else processes
    left = machine.memory_bytes // serving - _OTHER_BYTES - engines * _IDLE_ENGINE_BYTES
    spare = left >= _IDLE_ENGINE_BYTES + (
        _ANY_PAGE_BYTES if page_memory_bytes == "auto" else page_memory_bytes
    )
    left -= spare * _IDLE_ENGINE_BYTES
    sizes = (
        engines,
        int(spare),
        min(machine.processors, _MAX_THREADS) if threads == "auto" else threads,
        max(left, _MIN_PAGE_BYTES) if page_memory_bytes == "auto" else page_memory_bytes,
    )
    has = f"{machine.processors} processors, memory for {fitting} engines"
    warning = None
    if processes != "auto" and processes * serving > max(1, fitting):
        warning = f"[engine] processes = {processes}: half of the memory is enough for {fitting}"
    return Sizes(*sizes, f"{has}, {workers} serving" if workers > 1 else has, warning)


def _content(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except OSError:
        return ""
