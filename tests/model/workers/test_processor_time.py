"""The processor time of another process, and a limit on it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from model.workers.processor_time import Stopwatch, processor_s, within

pytestmark = pytest.mark.anyio


def _running(code: str) -> Iterator[int]:
    """Start Python code that first says it runs; return its process id."""
    command = [sys.executable, "-c", f"print(flush=True); {code}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.fixture
def busy() -> Iterator[int]:
    """Return the id of a process that uses a processor."""
    yield from _running("all(iter(int, 1)) or [None for _ in iter(int, 1)]")


@pytest.fixture
def idle() -> Iterator[int]:
    """Return the id of a process that waits."""
    yield from _running("import time; time.sleep(600)")


async def test_a_busy_process_runs_out_of_time(busy: int) -> None:
    """The work it does is cancelled."""
    work = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        await work

    with pytest.raises(TimeoutError):
        await within(wait(), Stopwatch(busy), threads=1, cpu_s=0.1, wall_s=600)
    await asyncio.sleep(0)
    assert work.cancelled()


async def test_a_process_that_waits_for_a_processor_does_not(idle: int) -> None:
    """Its time goes on only while it runs."""
    result = await within(
        asyncio.sleep(0.5, "done"), Stopwatch(idle), threads=1, cpu_s=0.1, wall_s=600
    )
    assert result == "done"


async def test_the_wall_clock_has_a_limit_too(idle: int) -> None:
    """However little the process has worked."""
    with pytest.raises(TimeoutError):
        await within(asyncio.sleep(600), Stopwatch(idle), threads=1, cpu_s=600, wall_s=0.1)


async def test_a_pause_does_not_count(idle: int) -> None:
    """A process that is paused for others has as much time as it would have had."""
    began = time.monotonic()
    stopwatch = Stopwatch(idle, lambda: min(0.3, time.monotonic() - began))
    with pytest.raises(TimeoutError):
        await within(asyncio.sleep(600), stopwatch, threads=1, cpu_s=600, wall_s=0.1)
    assert time.monotonic() - began >= 0.4


class Threads(Stopwatch):
    """A stopwatch of a process with so many busy threads, on a clock of its own."""

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.now_s = 0.0
        self.waits = 0

    def wall_s(self) -> float:
        """Return the clock."""
        return self.now_s

    def used_s(self) -> float:
        """Return the time of all threads."""
        return self.now_s * self.busy

    async def wait(self, tasks: list[Any], timeout: float) -> tuple[set[Any], set[Any]]:  # noqa: ASYNC109
        """Stand for asyncio.wait."""
        self.now_s += timeout
        self.waits += 1
        return set(), set(tasks)


@pytest.mark.parametrize("busy", [1, 3, 8])
async def test_all_threads_together_use_no_more_than_the_limit(
    monkeypatch: pytest.MonkeyPatch, busy: int
) -> None:
    """However many of the eight are busy."""
    stopwatch = Threads(busy)
    with monkeypatch.context() as patch:
        patch.setattr("model.workers.processor_time.asyncio.wait", stopwatch.wait)
        with pytest.raises(TimeoutError):
            await within(asyncio.sleep(600), stopwatch, threads=8, cpu_s=2.4, wall_s=600)
    assert 2.4 <= stopwatch.used_s() < 2.4 + 0.02 * 8
    assert stopwatch.waits < 60


async def test_the_time_of_a_process_that_has_exited_is_the_wall_clock_s() -> None:
    """It is not known any more, and is not free of charge."""
    for pid in _running("import time; time.sleep(600)"):
        stopwatch = Stopwatch(pid)
        assert processor_s(pid) is not None
    assert processor_s(pid) is None
    assert stopwatch.used_s() > 0
