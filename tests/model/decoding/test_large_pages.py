"""Pages wait until there is memory for their pixels."""

import asyncio
import os
from collections.abc import Sequence

import pytest
from PIL import Image

from model.decoding.attempts import BYTES_PER_PIXEL
from model.decoding.pool import DecoderPool
from model.errors import TooManyPixels
from model.workers import memfd
from model.workers.fair_queue import FairSemaphore
from model.workers.memory_budget import MemoryBudget, Reservation
from tests.model.conftest import MakeReader
from tests.model.decoding.decoders import running
from tests.model.decoding.pdfs import pdf
from tests.model.images import render_page, to_bytes

pytestmark = pytest.mark.anyio

FIRST = 5_000  # pixels reserved at first
SMALL, LARGE = (50, 80), (100, 90)


class Noting(Reservation):
    """A reservation that notes its sizes, in pixels."""

    def __init__(self) -> None:
        super().__init__(MemoryBudget(10**9))
        self.pixels: list[int] = []

    async def resize(self, size_bytes: int) -> None:
        """Note the size."""
        self.pixels.append(size_bytes // BYTES_PER_PIXEL)
        await super().resize(size_bytes)


def image(*sizes: tuple[int, int]) -> bytes:
    """Return a TIFF with a page of each size."""
    pages = [Image.new("L", size, 255) for size in sizes]
    return to_bytes(pages[0], "TIFF", save_all=True, append_images=pages[1:])


async def reserved(decoders: DecoderPool, data: bytes, page: int) -> Sequence[int]:
    """Decode a page; return the numbers of pixels that were reserved, one after the other."""
    upload, memory = memfd.sealed_copy("upload", data), Noting()
    try:
        async with FairSemaphore(1).turn("test") as turn:
            found, _ = await decoders.decode(upload, len(data), page, turn, memory)
        os.close(found.pixels)
        return memory.pixels
    finally:
        os.close(upload)


@pytest.mark.parametrize(
    ("data", "page", "expected"),
    [
        (image(SMALL), 1, [FIRST, 4_000]),
        (image(LARGE), 1, [FIRST, 9_000, 9_000]),
        (image(SMALL, LARGE), 2, [FIRST, 9_000, 9_000]),
        (image((60, 100), LARGE), 2, [FIRST, 6_000, 9_000, 9_000]),
        (pdf("A", box="[0 0 160 25]"), 1, [FIRST, 4_000]),
        (pdf("A", box="[0 0 180 50]"), 1, [FIRST, 9_000, 9_000]),
        (pdf("A", box="[0 0 200 45]"), 1, [FIRST, 9_000, 9_000]),
    ],
)
async def test_memory_is_reserved_before_a_page_is_decoded(
    monkeypatch: pytest.MonkeyPatch, data: bytes, page: int, expected: Sequence[int]
) -> None:
    """A large page's first decoder only finds out its size; what is too much is given back."""
    monkeypatch.setattr("model.decoding.attempts._FIRST_PIXELS", FIRST)
    async with running(max_pixels=10_000) as decoders:
        assert await reserved(decoders, data, page) == expected
        assert decoders.deaths == 0


async def test_the_limit_is_told_not_what_was_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page over `max_pixels` is refused whatever is free."""
    monkeypatch.setattr("model.decoding.attempts._FIRST_PIXELS", FIRST)
    async with running(max_pixels=8_000) as decoders:
        with pytest.raises(TooManyPixels) as refusal:
            await reserved(decoders, image(LARGE), 1)
    assert (refusal.value.pixels, refusal.value.limit) == (9_000, 8_000)


async def test_a_page_that_will_never_fit_is_refused(make_reader: MakeReader) -> None:
    """As one over `max_pixels`. Control: with enough memory it is read."""
    page = to_bytes(Image.new("L", (320, 100), 255))
    for memory in (32_000, 31_999):
        async with make_reader(page_memory_bytes=memory * BYTES_PER_PIXEL) as reader:
            if memory == 32_000:
                assert len(await reader.read(page)) == 1
            else:
                with pytest.raises(TooManyPixels) as refusal:
                    await reader.read(page)
                assert refusal.value.limit == memory


async def test_pages_wait_for_each_other(make_reader: MakeReader) -> None:
    """Two that don't fit together are read one after the other. Control: with memory for both."""
    drawn = render_page([["Many lines on a page", f"number {n}"] for n in range(8)])
    page = to_bytes(drawn)
    for both in (False, True):
        memory = drawn.width * drawn.height * BYTES_PER_PIXEL * (100 if both else 1)
        most = 0
        async with make_reader(engines=2, decoders=2, page_memory_bytes=memory) as reader:
            await reader.warm()
            reading = asyncio.gather(*(reader.read(page) for _ in range(3)))
            while not reading.done():
                most = max(most, reader.running)
                await asyncio.sleep(0.001)
            await reading
        assert most == (2 if both else 1)
