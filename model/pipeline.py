"""The steps of a page: wait, decode the upload to pixels, wait for an engine, recognise."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

from model.admission import Ticket
from model.decoding.pool import DecoderPool
from model.errors import ReaderDied, ReadingTimeout
from model.options import ReadingOptions
from model.reading import DecodedImage, Implausible, Page
from model.recognition import Recognition, checked, output_bytes, written
from model.resolution import image_size
from model.workers import memfd
from model.workers.child import Child
from model.workers.fair_queue import Turn
from model.workers.memory_budget import MemoryBudget
from model.workers.page_progress import PageInProgress
from model.workers.pool import Pool
from model.workers.precedence import Precedence
from model.workers.processor_time import WALL_FACTOR, Stopwatch, within

_INITIAL_MEAN_S = 1.0  # of a reading's time, until one has been measured
_NEWEST = 0.2  # weight of the newest reading in the mean time


Observe = Callable[[Mapping[str, float]], object]


@dataclass(frozen=True, slots=True)
class PendingPage:
    """A page that is decoded and not yet read; its turn ends when an engine takes it."""

    number: int
    image: DecodedImage
    turn: Turn
    progress: PageInProgress
    began: float  # perf_counter() when the page began to wait
    decode_s: float


class Pipeline:
    """Reads pages, each in at most `read_timeout_s` after an engine has taken it."""

    def __init__(
        self,
        decoders: DecoderPool,
        engines: Pool,
        precedence: Precedence,
        *,
        page_memory_bytes: int,
        threads: int,
        read_timeout_s: float,
        model: str,
        observe: Observe,
    ) -> None:
        """Use `threads` for a page read alone; pages read at the same time share the processors.

        `precedence` decides which of them are paused for others.
        `observe` gets the ms of each stage of each page.
        """
        self._decoders = decoders
        self._engines = engines
        self.precedence = precedence
        self._memory = MemoryBudget(page_memory_bytes)
        self._threads = threads
        self._read_timeout_s = read_timeout_s
        self._model = model
        self._observe = observe
        self._closed = False
        self.mean_s = _INITIAL_MEAN_S

    @contextlib.asynccontextmanager
    async def decoded(
        self, ticket: Ticket, upload: int, size_bytes: int, number: int
    ) -> AsyncIterator[PendingPage]:
        """Hold the pixels of one page of a sealed upload, decoded when it is the caller's turn.

        The turn lasts until an engine takes the page: at most as many pages as there are decoders
        are being decoded or wait for an engine, and it is pixels that take memory.

        Raises:
            ReadingError: any but WeightsError.

        """
        if self._closed:
            raise ReaderDied("the reader is closed")
        began = time.perf_counter()
        async with self._decoders.turn(ticket.caller) as turn:
            ticket.started = True
            self._engines.prestart()
            with (
                self.precedence.page(ticket.caller) as progress,
                self._memory.reservation() as memory,
            ):
                image, decode_s = await self._decoders.decode(
                    upload, size_bytes, number, turn, memory
                )
                try:
                    yield PendingPage(number, image, turn, progress, began, decode_s)
                finally:
                    os.close(image.pixels)

    async def recognise(self, page: PendingPage, options: ReadingOptions) -> Page:
        """Read a decoded page in the next free engine.

        Raises:
            ReadingTimeout: it took longer than `read_timeout_s`.
            ReaderDied: the engine exited or did not start.
            UnreadableImage: the engine crashed on this page.
            WeightsError: the engine found missing or different weights.

        """
        page.progress.waits()
        page.turn.mark_slow()
        async with self._engines.lease(page.turn.caller) as lease:
            page.turn.release()
            page.progress.has_engine()
            engine = await lease.worker()
            engine_began = time.perf_counter()
            result = await self._recognise(engine, page, options)
            engine_s = time.perf_counter() - engine_began
        self.mean_s += _NEWEST * (engine_s - self.mean_s)
        total_s = time.perf_counter() - page.began
        times_ms = result.times_ms | {
            "decode": page.decode_s * 1000,
            "queue": (total_s - page.decode_s - engine_s) * 1000,
            "total": total_s * 1000,
        }
        self._observe(times_ms)
        image = page.image
        return Page(
            page.number,
            image.of_document,
            result.lines,
            result.blocks,
            image.width,
            image.height,
            result.rotation,
            result.skew,
            self._model,
            times_ms,
            image.warnings,
            image.dpi,
            result.image,
            _image_size(image, options),
            image.pages,
        )

    async def warm(self, engines: int | None = None) -> None:
        """Start the processes.

        Raises:
            ReaderDied: one did not start.
            WeightsError: the weights are missing or different.

        """
        await asyncio.gather(self._decoders.warm(), self._engines.warm(engines))

    async def stop_idle(self) -> None:
        """Stop the idle processes."""
        await self._decoders.stop()  # first: a request that comes meanwhile starts its own zygote
        await self._engines.stop_idle()

    async def aclose(self) -> None:
        """Stop all processes, busy or not; later readings raise ReaderDied."""
        self._closed = True
        self.precedence.close()
        await self._decoders.aclose()
        await self._engines.aclose()

    async def _recognise(
        self, engine: Child, page: PendingPage, options: ReadingOptions
    ) -> Recognition:
        """Send the pixels to an engine; return the result that it wrote to an output buffer.

        The limit is processor time for each of the page's threads: a busy machine may take longer.
        """
        image = page.image
        most = output_bytes(image.width * image.height, options)
        output = memfd.output_buffer("reading", most)
        stopwatch = Stopwatch(engine.pid, lambda: page.progress.paused_s)
        try:
            with page.progress.reading(engine, self._threads) as threads:
                request = {
                    "width": image.width,
                    "height": image.height,
                    **asdict(options),
                    "image_size": _image_size(image, options),
                    "threads": threads,
                }
                response = await within(
                    engine.request(request, image.pixels, output),
                    stopwatch,
                    threads=threads,
                    cpu_s=self._read_timeout_s * threads,
                    wall_s=self._read_timeout_s * WALL_FACTOR,
                )
            with _killed_if_implausible(engine):
                return await checked(written(response, output, most, options), options)
        except TimeoutError as error:
            raise ReadingTimeout("reading", self._read_timeout_s) from error
        finally:
            page.turn.charge(stopwatch.used_s())
            os.close(output)


def _image_size(page: DecodedImage, options: ReadingOptions) -> tuple[int, int]:
    """Return the width and height of the image that a page is returned with."""
    return image_size(page.width, page.height, page.dpi, options.image_dpi)


@contextlib.contextmanager
def _killed_if_implausible(child: Child) -> Iterator[None]:
    """Kill a child whose response is Implausible.

    Raises:
        ReaderDied: it was.

    """
    try:
        yield
    except Implausible as error:
        child.process.kill(f"an invalid response: {error}")
        raise ReaderDied(f"an invalid response: {error}") from error
