"""The processor time of other processes, and a limit on it for what one of them does."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

_SCHEDULED = 2  # CPUCLOCK_SCHED in the kernel's posix-timers_types.h
_MIN_WAIT_S = 0.02
# Of a limit on processor time, the limit on wall time: a busy machine may take so much longer.
WALL_FACTOR = 6


def processor_s(pid: int) -> float | None:
    """Return the processor seconds of all threads of a process, or None if it has exited.

    The clock's number is that of clock_getcpuclockid(3), which Python lacks.
    """
    try:
        return time.clock_gettime(~pid << 3 | _SCHEDULED)
    except OSError:
        return None


class Stopwatch:
    """Measures the processor time of a process from now on; the wall time, once it has exited.

    `paused_s` returns how many seconds of the wall time the process was paused: they don't count.
    """

    def __init__(self, pid: int, paused_s: Callable[[], float] = lambda: 0.0) -> None:
        self._pid = pid
        self._paused_s = paused_s
        self._began = processor_s(pid)
        self._wall_began = time.perf_counter()

    def wall_s(self) -> float:
        """Return the seconds that have passed without a pause."""
        return time.perf_counter() - self._wall_began - self._paused_s()

    def used_s(self) -> float:
        """Return the processor seconds used."""
        now = processor_s(self._pid)
        if now is None or self._began is None:
            return self.wall_s()
        return now - self._began


async def within(
    work: Coroutine[Any, Any, Result],
    stopwatch: Stopwatch,
    *,
    threads: int,
    cpu_s: float,
    wall_s: float,
) -> Result:
    """Return the result of work that another process does in so many threads.

    Raises:
        TimeoutError: that process took more than `cpu_s` of processor time or `wall_s` in all.

    """
    task = asyncio.ensure_future(work)
    try:
        while True:
            # The processor time that is left is used up no earlier than that.
            left_s = min((cpu_s - stopwatch.used_s()) / threads, wall_s - stopwatch.wall_s())
            if left_s <= 0:
                raise TimeoutError
            done, _ = await asyncio.wait([task], timeout=max(left_s, _MIN_WAIT_S))
            if done:
                return task.result()
    finally:
        task.cancel()
