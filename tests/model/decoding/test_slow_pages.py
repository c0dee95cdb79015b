"""Pages that take long to decode: limits in processor time, a second attempt, and who pays."""

import asyncio
import os
import signal

import pytest

from bench.slow_pdfs import form_fields, poster
from model.decoding.pool import DecoderPool
from model.errors import ReadingTimeout
from model.reading import DecodedImage
from model.workers import memfd
from model.workers.fair_queue import FairSemaphore, Turn
from model.workers.memory_budget import MemoryBudget
from tests.model.decoding.decoders import LARGE, running
from tests.model.processes import children_of, until

pytestmark = pytest.mark.anyio

POSTER = poster(40, width=300, height=200)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests decide by processor time alone, however busy the machine is."""
    monkeypatch.setattr("model.decoding.pool.WALL_FACTOR", 100)


class Bill(Turn):
    """A turn that adds up what it is charged."""

    def __init__(self) -> None:
        super().__init__(FairSemaphore(1), "test")
        self.charges: list[float] = []

    def charge(self, seconds: float) -> None:
        """Note the time."""
        self.charges.append(seconds)


async def decode(decoders: DecoderPool, data: bytes, bill: Bill) -> DecodedImage:
    """Return a page, whose pixels are closed."""
    upload = memfd.sealed_copy("upload", data)
    try:
        with MemoryBudget(10**10).reservation() as memory:
            image, _ = await decoders.decode(upload, len(data), 1, bill, memory)
        os.close(image.pixels)
        return image
    finally:
        os.close(upload)


@pytest.mark.parametrize("share", [0.25, 1])
async def test_a_form_takes_a_share_of_the_time_at_most(
    monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """A tree of fields that would take minutes, and half the resolution would not help.

    Control: with all the time it takes all the time.
    """
    monkeypatch.setattr("model.decoding.pool._FORM_SHARE", share)
    bill = Bill()
    async with running(timeout_s=0.8) as decoders:
        with pytest.raises(ReadingTimeout):
            await decode(decoders, form_fields(24), bill)
    [used] = bill.charges[:1]
    assert (used < 0.6) == (share < 1)
    assert (len(bill.charges) == 1) == (share < 1)


@pytest.mark.parametrize("share", [500, 0.1])
async def test_a_slow_page_is_rendered_once_more_at_half_the_resolution(
    monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """Both attempts are charged. Control: without time for it, it is refused after the second."""
    monkeypatch.setattr("model.decoding.attempts._SECOND_SHARE", share)
    bill = Bill()
    async with running(dpi=144, timeout_s=0.1) as decoders:
        if share > 1:
            image = await decode(decoders, POSTER, bill)
            assert (image.width, image.height) == (300, 200)
        else:
            with pytest.raises(ReadingTimeout) as refusal:
                await decode(decoders, POSTER, bill)
            assert refusal.value.limit_s == 0.1
        assert len(bill.charges) == 2
        assert bill.charges[0] > 0.05
        assert decoders.deaths == 0


async def test_a_slow_image_has_no_second_attempt() -> None:
    """Its size is what it is."""
    bill = Bill()
    async with running(timeout_s=0.01) as decoders:
        with pytest.raises(ReadingTimeout):
            await decode(decoders, LARGE, bill)
    assert len(bill.charges) == 1


async def stopped(decoders: DecoderPool) -> tuple["asyncio.Task[DecodedImage]", int]:
    """Start to decode a page and stop its decoder; return the task and the decoder's id."""
    await decoders.warm()
    [zygote] = decoders.pids
    task = asyncio.create_task(decode(decoders, POSTER, Bill()))
    await until(lambda: children_of(zygote))
    [decoder] = children_of(zygote)
    os.kill(decoder, signal.SIGSTOP)
    return task, decoder


async def test_time_in_which_a_decoder_does_not_run_is_not_counted() -> None:
    """A busy machine refuses no page."""
    async with running(timeout_s=3) as decoders:
        task, decoder = await stopped(decoders)
        await asyncio.sleep(3.2)
        os.kill(decoder, signal.SIGCONT)
        image = await task
    assert (image.width, image.height) == (300, 200)


async def test_a_decoder_that_does_not_run_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the wall clock has a limit, too; the next attempt is at half the resolution."""
    monkeypatch.setattr("model.decoding.pool.WALL_FACTOR", 1)
    monkeypatch.setattr("model.decoding.attempts._SECOND_SHARE", 100)
    async with running(timeout_s=1) as decoders:
        task, _ = await stopped(decoders)
        image = await task
    assert (image.width, image.height) == (150, 100)


async def test_a_caller_that_leaves_pays() -> None:
    """For what the decoder had used until it was killed."""
    bill = Bill()
    async with running() as decoders:
        await decoders.warm()
        [zygote] = decoders.pids
        task = asyncio.create_task(decode(decoders, POSTER, bill))
        await until(lambda: children_of(zygote))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.wait([task])
        await until(lambda: bill.charges)
    assert bill.charges[0] > 0
