"""Measures a caller beside another's flood: `python bench/fairness.py [--seconds N] [--case NAME]`.

One key sends one request at a time, calm and beside a flood of another key, in alternating phases.
The flood has more connections than the service lets wait, and retries what is refused when
Retry-After says so. With two workers, the flood's connections all go to one of them. Prints
Markdown; exit status 1 if a ratio of the medians is above 2.
"""

import argparse
import asyncio
import contextlib
import io
import itertools
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx2
from PIL import Image

from bench.figures import in_turn, percentile, table
from bench.load import open_client
from bench.machine import describe
from bench.processes import PROC, role, tree
from bench.servers import AMPLE, ROOT, Server, launch_ours

_SERVED, _BUSY = 200, 503
_CONNECTIONS = 24  # of the flood: more than engines and waiting requests together
_SETTLE_S = 1.5  # until the flood has filled the queues
_ROUNDS = 3
_TARGET = 2.0
_HEADS = ("case", "calm: p50 ms", "p99", "beside the flood: p50 ms", "p99", "p50 / calm",
          "flood alone: pages/s", "beside the caller", "the caller's pages/s",
          "its 503s")  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A name, the number of workers, whether the callers share one, and the flood's pages."""

    name: str
    workers: int
    together: bool
    mixed: bool


CASES = (
    Case("one-process", 0, together=True, mixed=False),
    Case("one-process-mixed", 0, together=True, mixed=True),
    Case("same-worker", 2, together=True, mixed=False),
    Case("same-worker-mixed", 2, together=True, mixed=True),
    Case("other-worker", 2, together=False, mixed=False),
    Case("other-worker-mixed", 2, together=False, mixed=True),
)


@dataclass
class Sent:
    """What a caller got: the ms of what was read, and how often it was refused."""

    ms: list[float] = field(default_factory=list)
    refused: int = 0


async def send(client: httpx2.AsyncClient, image: bytes, sent: Sent) -> None:
    """Send an image until it is read."""
    while True:
        began = time.perf_counter()
        answer = await client.post("/ocr", content=image)
        if answer.status_code == _SERVED:
            sent.ms.append((time.perf_counter() - began) * 1000)
            return
        if answer.status_code != _BUSY:
            raise RuntimeError(answer.text)
        sent.refused += 1
        await asyncio.sleep(int(answer.headers["retry-after"]))


async def send_for(
    seconds: float, client: httpx2.AsyncClient, images: Sequence[bytes], sent: Sent
) -> None:
    """Send these images in turn, one at a time."""
    end = time.perf_counter() + seconds
    for image in itertools.cycle(images):
        await send(client, image, sent)
        if time.perf_counter() >= end:
            return


@contextlib.asynccontextmanager
async def flood(
    clients: Sequence[httpx2.AsyncClient], images: Sequence[bytes], sent: Sent
) -> AsyncIterator[None]:
    """Send on all of these connections at once, without end."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(send_for(math.inf, client, in_turn(images, number), sent))
            for number, client in enumerate(clients)
        ]
        await asyncio.sleep(_SETTLE_S)
        sent.ms.clear()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


@contextlib.asynccontextmanager
async def connected(
    server: Server, key: str, number: int, wanted: Callable[[int], bool]
) -> AsyncIterator[list[httpx2.AsyncClient]]:
    """Return so many connections, each to a serving process that is wanted."""
    job = server.job | {
        "headers": {"X-API-Key": key, "Content-Type": "image/jpeg"},
        "http2": False,
    }
    async with contextlib.AsyncExitStack() as stack:
        found: list[httpx2.AsyncClient] = []
        while len(found) < number:
            client = open_client(job)
            answer = await client.get("/healthz")
            _host, port = answer.extensions["network_stream"].get_extra_info("client_addr")
            if wanted(process_of(server, port)):
                stack.push_async_callback(client.aclose)
                found.append(client)
            else:
                await client.aclose()
        yield found


def process_of(server: Server, port: int) -> int:
    """Return the id of the serving process that has the connection from this port."""
    wanted = (f":{server.port:04X}", f":{port:04X}")
    lines = (line.split() for line in (PROC / "net/tcp").read_text("ascii").splitlines()[1:])
    inode = next(each[9] for each in lines if (each[1][8:], each[2][8:]) == wanted)
    for pid in tree(server.process.pid):
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) == f"socket:[{inode}]" and role(pid) == "web":
                    return pid
    raise LookupError(port)


def images_of(*, mixed: bool) -> list[bytes]:
    """Return the receipt; if mixed, also a page with eight of it."""
    receipt = Image.open(ROOT / "examples" / "receipt.png").convert("L")
    pages = [receipt]
    if mixed:
        page = Image.new("L", (receipt.width * 4, receipt.height * 2), 255)
        for column, row in itertools.product(range(4), range(2)):
            page.paste(receipt, (column * receipt.width, row * receipt.height))
        pages.append(page)
    return [jpeg(page) for page in pages]


def jpeg(image: Image.Image) -> bytes:
    """Return an image as a JPEG file."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=70)
    return stream.getvalue()


async def measured(server: Server, case: Case, seconds: float) -> tuple[list[str], float]:
    """Return a row of the table, and the ratio."""
    images = images_of(mixed=case.mixed)
    first: list[int] = []

    def flooded(pid: int) -> bool:
        if not first:
            first.append(pid)
        return pid == first[0]

    async with (
        connected(server, server.keys[0], _CONNECTIONS, flooded) as many,
        connected(server, server.keys[1], 1, lambda pid: (pid == first[0]) is case.together) as one,
    ):
        calm, beside, alone, flooding = Sent(), Sent(), Sent(), Sent()
        await send_for(3, one[0], images[:1], Sent())
        async with flood(many, images, Sent()):
            await send_for(3, one[0], images[:1], Sent())
        for _ in range(_ROUNDS):
            part_s = seconds / _ROUNDS
            await asyncio.sleep(0.5)
            await send_for(part_s, one[0], images[:1], calm)
            pages = Sent()
            async with flood(many, images, pages):
                await asyncio.sleep(part_s)
                alone.ms += pages.ms
                pages.ms.clear()
                await send_for(part_s, one[0], images[:1], beside)
                flooding.ms += pages.ms
    ratio = statistics.median(beside.ms) / statistics.median(calm.ms)
    return [
        case.name,
        *(f"{at(each.ms):.0f}" for each in (calm, beside) for at in (statistics.median, _p99)),
        f"{ratio:.2f}",
        *(f"{len(each.ms) / seconds:.2f}" for each in (alone, flooding, beside)),
        str(beside.refused),
    ], ratio  # fmt: skip


def _p99(ms: Sequence[float]) -> float:
    return percentile(ms, 0.99)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Start a redis on a Unix socket; return its address."""
    with tempfile.TemporaryDirectory(prefix="sealed-ocr-bench-") as folder:
        path = Path(folder, "redis.sock")
        command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder) as process:
            try:
                while not path.exists():
                    time.sleep(0.01)
                yield f"async+redis+unix://{path}"
            finally:
                process.terminate()


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=9, help="of each kind of phase, in all")
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--root", type=Path, default=ROOT, help="the code of the service")
    chosen = parser.parse_args()
    print(f"{describe()}\n")
    print(table(_HEADS, []))
    worst = 0.0
    with redis() as storage:
        for case in CASES:
            if chosen.case and case.name not in chosen.case:
                continue
            variables = {"OCR_LIMITS__STORAGE": storage} if case.workers else {}
            with launch_ours(
                "sealed-crnn-v2", warm=True, limits=(AMPLE, AMPLE), variables=variables,
                workers=case.workers, root=chosen.root,
            ) as server:  # fmt: skip
                row, ratio = asyncio.run(measured(server, case, chosen.seconds))
            print("| " + " | ".join(row) + " |", flush=True)
            worst = max(worst, ratio)
    return int(worst > _TARGET)


if __name__ == "__main__":
    sys.exit(main())
