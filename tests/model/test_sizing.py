"""The number of processes and threads for a machine."""

import os
from pathlib import Path

import pytest

from model.sizing import Count, Machine, choose, this_machine

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("machine", "workers", "expected"),
    [
        (Machine(1, 4 * GB), 0, (1, 1)),
        (Machine(2, 4 * GB), 0, (2, 2)),
        (Machine(4, 16 * GB), 1, (4, 4)),
        (Machine(32, 64 * GB), 0, (32, 8)),
        (Machine(32, 4 * GB), 0, (4, 8)),  # half of the memory is 2 GB: four engines
        (Machine(4, GB // 2), 0, (1, 4)),
        (Machine(8, 16 * GB), 4, (2, 8)),
        (Machine(2, 4 * GB), 4, (1, 2)),
    ],
)
def test_auto_depends_on_the_machine(
    machine: Machine, workers: int, expected: tuple[int, int]
) -> None:
    """One engine a processor, if there is memory, divided among the web processes."""
    sizes = choose("auto", "auto", page_memory_bytes="auto", machine=machine, workers=workers)
    assert (sizes.processes, sizes.threads) == expected
    assert sizes.machine.startswith(f"{machine.processors} processors")
    assert sizes.warning is None


@pytest.mark.parametrize(
    ("processes", "threads", "expected", "too_many"),
    [(3, "auto", (3, 2), False), ("auto", 5, (2, 5), False), (64, 64, (64, 64), True)],
)
def test_numbers_are_used_as_they_are(
    processes: Count, threads: Count, expected: tuple[int, int], *, too_many: bool
) -> None:
    """With a warning if half of the memory is not enough for the processes."""
    sizes = choose(
        processes, threads, page_memory_bytes="auto", machine=Machine(2, 4 * GB), workers=1
    )
    assert (sizes.processes, sizes.threads) == expected
    assert (sizes.warning is not None) == too_many


def test_the_limits_of_a_container(tmp_path: Path) -> None:
    """A CPU quota of half a processor counts as one processor."""
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("1000000000\n")
    assert this_machine(tmp_path) == Machine(1, GB)


def test_without_limits_it_is_the_whole_machine(tmp_path: Path) -> None:
    """Without a cgroup, and if it has "max"."""
    whole = this_machine(tmp_path)
    assert whole.processors == len(os.sched_getaffinity(0))
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert this_machine(tmp_path) == whole


def test_cpu_affinity() -> None:
    """Pinned to one processor, the process has one."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert this_machine().processors == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("machine", "workers", "expected"),
    [
        (Machine(2, 2 << 30), 0, (1_197_483_648, 1)),  # in 2 GB: a page of 50 megapixels
        (Machine(1, 1 << 30), 0, (423_741_824, 0)),  # with a spare engine it would be 273 MB
        (Machine(1, GB // 2), 0, (200_000_000, 0)),  # always enough for a page of 10 megapixels
        (Machine(4, 16 * GB), 2, (7_050_000_000, 1)),
    ],
)
def test_memory_for_pages_is_what_the_processes_leave(
    machine: Machine, workers: int, expected: tuple[int, int]
) -> None:
    """Divided among the web processes, with a spare engine only where it leaves enough.

    Control: a number is used as it is, with a spare engine if there is memory for both.
    """
    sizes = choose("auto", "auto", page_memory_bytes="auto", machine=machine, workers=workers)
    assert (sizes.page_memory_bytes, sizes.spare) == expected
    sizes = choose("auto", "auto", page_memory_bytes=5, machine=machine, workers=workers)
    assert sizes.page_memory_bytes == 5
