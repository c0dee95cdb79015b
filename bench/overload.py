"""Measures an overloaded service: `python bench/overload.py [--seconds N]`.

Starts the service, measures how many images a second it reads for one key, sends twice as many, and
then has a second key send a quarter of the capacity at the same time. Prints Markdown.
"""

import argparse
import asyncio
import io
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx2
from PIL import Image

from bench.figures import percentile, table
from bench.load import open_client
from bench.machine import describe
from bench.servers import AMPLE, ROOT, Server, launch_ours

_BUSY, _SERVED = 503, 200
_CLOSED_LOOP = 4  # requests at a time, to find the capacity
_HEADS = ("", "offered/s", "served/s", "of capacity", "p50 ms", "p99 ms", "shed", "p50 ms to a 503",
          "p99", "Retry-After s, least and most", "other")  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What one request got, and how long it took."""

    status: int
    ms: float
    retry_after_s: int | None


class Caller:
    """A client with a key, and a connection for each of its requests under way.

    On a shared one httpx2 hands out answers late while others are awaited: 200 ms for a refusal
    that came in 5.
    """

    def __init__(self, server: Server, key: str, image: bytes) -> None:
        headers = {"X-API-Key": key, "Content-Type": "image/jpeg"}
        self._job = server.job | {"headers": headers}
        self._image = image
        self._free: list[httpx2.AsyncClient] = []

    async def ask(self) -> Answer:
        """Send the image once."""
        client = self._free.pop() if self._free else await self._connected()
        began = time.perf_counter()
        response = await client.post("/ocr", content=self._image)
        ms = (time.perf_counter() - began) * 1000
        self._free.append(client)
        retry = response.headers.get("retry-after")
        return Answer(response.status_code, ms, None if retry is None else int(retry))

    async def _connected(self) -> httpx2.AsyncClient:
        client = open_client(self._job)
        await client.get("/healthz")
        return client

    async def ask_in_turn(self, seconds: float) -> list[Answer]:
        """Send as fast as the answers come, a few at a time."""
        end, answers = time.perf_counter() + seconds, []

        async def work() -> None:
            while time.perf_counter() < end:
                answers.append(await self.ask())

        await asyncio.gather(*(work() for _ in range(_CLOSED_LOOP)))
        return answers

    async def ask_at(self, rate: float, seconds: float) -> list[Answer]:
        """Send so many a second whatever the answers."""
        asking = []
        began = time.perf_counter()
        for number in range(math.ceil(rate * seconds)):
            await asyncio.sleep(began + number / rate - time.perf_counter())
            asking.append(asyncio.create_task(self.ask()))
        return await asyncio.gather(*asking)


def row(title: str, answers: Sequence[Answer], seconds: float, capacity: float) -> list[str]:
    """Return a row of the table."""
    served = [answer.ms for answer in answers if answer.status == _SERVED]
    shed = [answer.ms for answer in answers if answer.status == _BUSY]
    waits = [answer.retry_after_s for answer in answers if answer.retry_after_s is not None]
    return [
        title, f"{len(answers) / seconds:.2f}", f"{len(served) / seconds:.2f}",
        f"{len(served) / seconds / capacity:.0%}", at(served, 0.5, 0), at(served, 0.99, 0),
        f"{len(shed) / len(answers):.0%}", at(shed, 0.5, 1), at(shed, 0.99, 1),
        f"{min(waits)}-{max(waits)}" if waits else "-", str(len(answers) - len(served) - len(shed)),
    ]  # fmt: skip


def at(ms: Sequence[float], share: float, digits: int) -> str:
    """Return what that share of the times does not exceed, if there are any."""
    return f"{percentile(ms, share):.{digits}f}" if ms else "-"


async def measure(server: Server, keys: Sequence[str], warm_up_s: float, seconds: float) -> None:
    """Print how the service takes it."""
    stream = io.BytesIO()
    Image.open(ROOT / "examples" / "receipt.png").convert("L").save(stream, "JPEG", quality=70)
    first, second = (Caller(server, key, stream.getvalue()) for key in keys)
    await first.ask_in_turn(warm_up_s)
    answers = await first.ask_in_turn(seconds)
    capacity = len(answers) / seconds
    rows = [row("as fast as answers come", answers, seconds, capacity)]
    began = time.perf_counter()
    answers = await first.ask_at(2 * capacity, seconds)
    rows.append(row("twice that", answers, time.perf_counter() - began, capacity))
    began = time.perf_counter()
    greedy, modest = await asyncio.gather(
        first.ask_at(2 * capacity, seconds), second.ask_at(capacity / 4, seconds)
    )
    passed = time.perf_counter() - began
    rows.append(row("twice that, beside the next", greedy, passed, capacity))
    rows.append(row("another key, a quarter", modest, passed, capacity))
    print(table(_HEADS, rows))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--warm-up", type=float, default=5, help="seconds")
    chosen = parser.parse_args()
    print(f"{describe()}\n")
    with launch_ours("sealed-crnn-v2", warm=True, limits=(AMPLE, AMPLE)) as server:
        asyncio.run(measure(server, server.keys, chosen.warm_up, chosen.seconds))


if __name__ == "__main__":
    main()
