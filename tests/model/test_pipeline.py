"""The queues of a page: callers take turns, and few decoded pages wait for an engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from model.admission import Admission, Ticket
from model.decoding.pool import DecoderPool
from model.options import ReadingOptions
from model.pipeline import Pipeline
from model.reading import DecodedImage, Page
from model.workers import memfd, page_progress
from model.workers.fair_queue import Turn
from model.workers.launcher import LAUNCHER, Launcher
from model.workers.memory_budget import Reservation
from model.workers.pool import Pool
from model.workers.precedence import Precedence
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
        self.admission = Admission(100)
        self.precedence = Precedence(self.admission.by_caller, processors=1)
        self.pipeline = Pipeline(
            decoders, engines, self.precedence, page_memory_bytes=1, threads=1, read_timeout_s=60,
            model="none", observe=lambda _times_ms: None,
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
        with self.admission.ticket(caller) as ticket:
            return await self._read_with(ticket, number)

    async def _read_with(self, ticket: Ticket, number: int) -> Page:
        async with self.pipeline.decoded(ticket, 0, 1, number) as page:
            return await self.pipeline.recognise(page, ReadingOptions(detect=False))


@contextlib.asynccontextmanager
async def requests(
    code: str, folder: Path, *, engines: int, decoders: int, spare: int = 0, grace_s: float = 0
) -> AsyncIterator[Requests]:
    """Return a pipeline whose engines run this code for each request; one engine is running."""
    bootstrap = folder / "bootstrap.py"
    bootstrap.write_text(f"{STAND_IN}    {code}\n", encoding="utf-8")
    pool = Pool(
        Launcher(bootstrap, {"engine": {}}),
        "engine",
        {},
        size=engines,
        spare=spare,
        start_timeout_s=60,
        cancel_grace_s=grace_s,
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
    """Of a caller with many pages and one with a single page, each gets every other turn.

    The other caller does not wait for a page that is decoded and waits for an engine.
    """
    async with requests(READY_THEN_BUSY, tmp_path, engines=1, decoders=1) as made:
        await made.add("aaaaab")
        await settled()
        assert made.decoders.decoded == [0, 1, 5]
        await made.add("b")
        for number in (5, 1, 2, 6):
            await made.cancel(number)
            await settled()
        assert made.decoders.decoded == [0, 1, 5, 6, 2, 3]


async def test_the_next_page_is_decoded_while_an_engine_starts(tmp_path: Path) -> None:
    """A single decoder is enough for several engines to start at the same time."""
    code = ONE_STARTS.format(flag=str(tmp_path / "started"))
    async with requests(code, tmp_path, engines=3, decoders=1) as made:
        await made.add("aaaaa")
        await until(lambda: len(made.engines.pids) == 3)
        await settled()
        assert made.decoders.decoded == [0, 1, 2, 3]


ANSWERS_CANCEL = """if sequence == 1 or "cancel" in request:
        send(sequence=request.get("cancel", sequence))"""


def stopped(pids: list[int]) -> list[bool]:
    """Return of each process whether the kernel has stopped it."""
    states = (Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2] for pid in pids)
    return [state.split()[0] == "T" for state in states]


@pytest.mark.parametrize("spare", [0, 1])
async def test_a_flood_stops_for_another_caller_s_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare: int
) -> None:
    """That page has a spare engine at once, and the flood's engines go on when it is done.

    Control: without a spare engine it waits for the flood's, which nobody stops.
    """
    monkeypatch.setattr(page_progress, "PAUSE_S", 60)
    async with requests(
        ANSWERS_CANCEL, tmp_path, engines=2, decoders=2, spare=spare, grace_s=60
    ) as made:
        await made.add("aaaaaa")
        await until(lambda: made.engines.running == 2 and len(made.engines.pids) == 2)
        flood = made.engines.pids
        await settled()
        await made.add("b")
        await settled()
        assert 6 in made.decoders.decoded
        await until(lambda: made.engines.running == 2 + spare)
        if not spare:
            assert stopped(flood) == [False, False]
            return
        await until(lambda: stopped(flood) == [True, True])
        await made.cancel(0)  # a stopped engine goes on, so that it can answer
        await until(lambda: stopped(flood) in ([True, False], [False, True]))
        await made.cancel(6)
        await until(lambda: stopped(flood) == [False, False])
        assert made.engines.deaths == 0
        assert set(flood) <= set(made.engines.pids)


# The first engine starts, the others never do; all of them let their requests be cancelled.
ONE_STARTS_AND_ANSWERS = """if sequence == 1:
        if os.path.exists({flag!r}):
            time.sleep(60)
        open({flag!r}, "w").close()
        send(sequence=1)
    elif "cancel" in request:
        send(sequence=request["cancel"])"""


async def test_a_page_does_not_wait_for_the_spare_engine_to_start(tmp_path: Path) -> None:
    """It takes the engine that is free first, before older pages of the flood."""
    code = ONE_STARTS_AND_ANSWERS.format(flag=str(tmp_path / "started"))
    async with requests(code, tmp_path, engines=1, decoders=2, spare=1, grace_s=60) as made:
        await made.add("aaaab")
        await until(lambda: len(made.engines.pids) == 2)
        assert made.engines.running == 1
        await made.cancel(0)
        await until(lambda: made.engines.running == 1)
        reading = [page.caller for page in made.precedence._pages if page.leased]
        assert reading == ["b"]
