"""A process that counts as a worker does: python -m tests.middleware.counting.hits SOCKET.

It prints "ready", waits for a line, and prints how much had room, as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from uuid import uuid4

from redis.asyncio import Redis

from middleware.counting.memory_storage import MemoryStorage
from middleware.counting.redis_storage import RedisStorage
from middleware.counting.storage import Period, Storage, Window

LIMIT, HITS, TASKS = 500, 500, 8
NAIVE_LIMIT = 10
WINDOW = Window("hits", LIMIT, 600)


async def total(times: int, hit: Callable[[int], Awaitable[int]]) -> int:
    """Return the sum of what so many calls return, TASKS of them at a time."""
    numbers = iter(range(times))

    async def work() -> int:
        return sum([await hit(number) for number in numbers])

    return sum(await asyncio.gather(*(work() for _ in range(TASKS))))


async def window_hit(storage: Storage) -> int:
    """Return 1 if a request has room."""
    return (await storage.count([WINDOW]))[0].allowed


async def pages_charged(storage: Storage, number: int) -> int:
    """Return the 1 to 3 pages that were charged, if there was room for all of them."""
    pages = number % 3 + 1
    period = Period("pages", LIMIT, 4_000_000_000)
    charged = await storage.charge(uuid4().hex, 1, pages, [period], keep_s=60)
    return 0 if charged.exceeded is not None else pages


async def naive_hits(client: Redis) -> int:
    """Return how many requests have room by two commands, between which the others count, too."""
    together = asyncio.Barrier(2 * NAIVE_LIMIT)

    async def hit() -> bool:
        room = int(await client.get("naive") or 0) < NAIVE_LIMIT
        await together.wait()
        if room:
            await client.incr("naive")
        return room

    return sum(await asyncio.gather(*(hit() for _ in range(2 * NAIVE_LIMIT))))


async def main(socket: str) -> dict[str, int]:
    """Count in each way."""
    client = Redis(unix_socket_path=socket)
    storage = RedisStorage(client)
    alone = MemoryStorage()
    await storage.check()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    found = {
        "window": await total(HITS, lambda _number: window_hit(storage)),
        "pages": await total(300, lambda number: pages_charged(storage, number)),
        "naive": await naive_hits(client),
        "memory": await total(HITS, lambda _number: window_hit(alone)),
    }
    await storage.aclose()
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1]))))
