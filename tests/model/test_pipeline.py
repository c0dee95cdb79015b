"""The queues of a page: callers take turns, and few decoded pages wait for an engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from model.admission import Ticket
from model.decoding.pool import DecoderPool
from model.options import ReadingOptions
from model.pipeline import Pipeline
from model.reading import DecodedImage, Page
from model.workers import memfd
from model.workers.fair_queue import Turn
from model.workers.launcher import LAUNCHER, Launcher
from model.workers.memory_budget import Reservation
from model.workers.pool import Pool
from tests.model.processes import until
from tests.model.workers.children import STAND_IN

pytestmark = pytest.mark.anyio

READY_THEN_BUSY = "send(sequence=sequence) if sequence == 1 else time.sleep(60)"
# The first engine starts; the others never do.
ONE_STARTS = """if os.path.exists({flag!r}):
        time.sleep(60)
    open({flag!r}, "w").close()
    send(sequence=sequence)"""


class InstantDecoders(DecoderPool):
    """Takes turns like any decoder pool, and decodes every page to one pixel at once."""

    def __init__(self, size: int) -> None:
        super().__init__(
            LAUNCHER,
            size=size,
            max_pixels=1,
            dpi=72,
            timeout_s=60,
            start_timeout_s=60,
            seccomp=False,
            report=lambda _process, _cause: None,
        )
        self.decoded: list[int] = []

    async def decode(
        self,
        upload: int,  # noqa: ARG002
        size_bytes: int,  # noqa: ARG002
        page: int,
        turn: Turn,  # noqa: ARG002
        memory: Reservation,  # noqa: ARG002
    ) -> tuple[DecodedImage, float]:
        """Return a pixel, and note the page."""
        self.decoded.append(page)
        return DecodedImage(
            memfd.sealed_copy("pixels", b"\0\0\0"), 1, 1, 1, of_document=False, dpi=200.0
        ), 0.0


class Requests:
    """Requests for pages of one pixel, by engines that never finish."""

    def __init__(self, decoders: InstantDecoders, engines: Pool) -> None:
        self.decoders = decoders
        self.engines = engines
        self.pipeline = Pipeline(
            decoders, engines, page_memory_bytes=1, threads=1, read_timeout_s=60, model="none",
            observe=lambda _times_ms: None,
        )  # fmt: skip
        self.tasks: list[asyncio.Task[Page]] = []

    async def add(self, callers: str) -> None:
        """Add a request of each caller; its page has the number of the request, from 0."""
        for caller in callers:
            self.tasks.append(asyncio.create_task(self._read(caller, len(self.tasks))))
            await asyncio.sleep(0)

    async def cancel(self, number: int) -> None:
        """Cancel a request and wait for its end."""
        self.tasks[number].cancel()
        await asyncio.wait([self.tasks[number]])

    async def _read(self, caller: str, number: int) -> Page:
        async with self.pipeline.decoded(Ticket(caller), 0, 1, number) as page:
            return await self.pipeline.recognise(page, ReadingOptions(detect=False))


@contextlib.asynccontextmanager
async def requests(
    code: str, folder: Path, *, engines: int, decoders: int
) -> AsyncIterator[Requests]:
    """Return a pipeline whose engines run this code for each request; one engine is running."""
    bootstrap = folder / "bootstrap.py"
    bootstrap.write_text(f"{STAND_IN}    {code}\n", encoding="utf-8")
    pool = Pool(
        Launcher(bootstrap, {"engine": {}}),
        "engine",
        {},
        size=engines,
        start_timeout_s=60,
        cancel_grace_s=0,
        max_requests=0,
        report=lambda _process, _cause: None,
    )
    await pool.warm(1)
    made = Requests(InstantDecoders(decoders), pool)
    try:
        yield made
    finally:
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        await pool.aclose()


async def settled() -> None:
    """Let every task run that can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_no_more_decoded_pages_wait_than_there_are_decoders(tmp_path: Path) -> None:
    """One page is in the engine and two are decoded: the others' pixels take no memory yet."""
    async with requests(READY_THEN_BUSY, tmp_path, engines=1, decoders=2) as made:
        await made.add("aaaaaa")
        await settled()
        assert made.engines.running == 1
        assert made.decoders.decoded == [0, 1, 2]
        await made.cancel(1)
        await settled()
        assert made.decoders.decoded == [0, 1, 2, 3]


async def test_a_caller_s_page_is_decoded_before_the_next_round(tmp_path: Path) -> None:
    """Of a caller with many pages and one with a single page, each gets every other turn."""
    async with requests(READY_THEN_BUSY, tmp_path, engines=1, decoders=1) as made:
        await made.add("aaaaab")
        for number in (1, 2, 5):
            await settled()
            await made.cancel(number)
        await settled()
        assert made.decoders.decoded == [0, 1, 2, 5, 3]


async def test_the_next_page_is_decoded_while_an_engine_starts(tmp_path: Path) -> None:
    """A single decoder is enough for several engines to start at the same time."""
    code = ONE_STARTS.format(flag=str(tmp_path / "started"))
    async with requests(code, tmp_path, engines=3, decoders=1) as made:
        await made.add("aaaaa")
        await until(lambda: len(made.engines.pids) == 3)
        await settled()
        assert made.decoders.decoded == [0, 1, 2, 3]
