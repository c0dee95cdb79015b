"""Measures what counting a request costs: `python bench/counting.py [--requests N] [--rounds N]`.

A request of a key has three limits: of its address, its function and its key. They are counted in
memory and in a redis on a Unix socket, as the service does, in one step, and, beside it, one after
the other by limits' own strategy, with two round trips for each. Then the pages of a file are
charged, and a lease is begun and ended. Prints Markdown: microseconds of a request, the processor
time in this process and in redis, and how many of them a core of redis can do in a second.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from limits import parse
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import storage_from_string
from redis.asyncio import Redis

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import table
from bench.machine import describe
from bench.processes import cpu_s
from middleware.counting.memory_storage import MemoryStorage
from middleware.counting.redis_storage import RedisStorage
from middleware.counting.storage import Lease, Period, Storage, Window

Operation = Callable[[int], Awaitable[object]]
POLICIES = ("address", "function", "key")
LIMIT, SECONDS = 600, 60
CALLERS = 100


def steps(storage: Storage) -> dict[str, Operation]:
    """Return what the service does with a storage for a request, by name."""
    day, month = (Period(name, 10**9, 4_000_000_000) for name in ("day", "month"))

    async def three_limits(number: int) -> object:
        names = (f"{policy}/{number % CALLERS}" for policy in POLICIES)
        return await storage.count([Window(name, LIMIT, SECONDS) for name in names])

    async def pages(number: int) -> object:
        return await storage.charge(str(number), 1, 3, [day, month], keep_s=60)

    async def lease(number: int) -> object:
        held = Lease("leases", str(number), 100, 60)
        found = await storage.lease(held)
        await storage.release(held)
        return found

    return {"three limits": three_limits, "pages of a day and month": pages, "a lease": lease}


def by_limits(storage: Any) -> Operation:
    """Return the same three limits as limits' own strategy counts them."""
    strategy, item = MovingWindowRateLimiter(storage), parse(f"{LIMIT}/minute")

    async def three_limits(number: int) -> None:
        for policy in POLICIES:
            await strategy.hit(item, policy, str(number % CALLERS))
            await strategy.get_window_stats(item, policy, str(number % CALLERS))

    return three_limits


async def measured(operation: Operation, requests: int, redis: int | None) -> tuple[float, ...]:
    """Return µs, processor µs here, and processor µs in redis of one request."""
    before_s = cpu_s([redis]) if redis else 0.0
    began, own = time.perf_counter(), time.process_time()
    for number in range(requests):
        await operation(number + time.perf_counter_ns())
    times = (
        time.perf_counter() - began,
        time.process_time() - own,
        (cpu_s([redis]) if redis else 0.0) - before_s,
    )
    return tuple(each / requests * 1e6 for each in times)


async def measure(socket: str, redis: int, requests: int, rounds: int) -> list[list[str]]:
    """Return the rows of the table: the median of the rounds, which alternate."""
    client = Redis(unix_socket_path=socket)
    storage = RedisStorage(client)
    library: Any = storage_from_string(f"async+redis+unix://{socket}", implementation="redispy")
    operations: dict[tuple[str, str], tuple[Operation, int | None]] = {
        **{("memory", name): (each, None) for name, each in steps(MemoryStorage()).items()},
        **{("redis", name): (each, redis) for name, each in steps(storage).items()},
        ("redis", "three limits, by limits 5.8's strategy"): (by_limits(library), redis),
    }
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {name: [] for name in operations}
    for _ in range(rounds):
        for name, (operation, pid) in operations.items():
            found[name].append(await measured(operation, requests, pid))
    await storage.aclose()
    await library.bridge.storage.aclose()
    rows = []
    for (where, what), times in found.items():
        wall, own, theirs = (statistics.median(each) for each in zip(*times, strict=True))
        served = f"{1e6 / theirs:,.0f}" if theirs else ""
        rows.append([where, what, f"{wall:.0f}", f"{own:.0f}", f"{theirs:.0f}", served])
    return rows


def main() -> int:
    """Measure what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(prog="counting", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="of each kind in a round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/redis"
        command = ["redis-server", "--port", "0", "--unixsocket", socket, "--save", ""]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
            try:
                while not Path(socket).exists():
                    time.sleep(0.01)
                rows = asyncio.run(
                    measure(socket, process.pid, arguments.requests, arguments.rounds)
                )
            finally:
                process.terminate()
    print(describe() + "\n")
    heads = ["counted in", "of a request", "µs", "processor µs", "of redis", "a core of redis, /s"]
    print(table(heads, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
