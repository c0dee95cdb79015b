"""A page's way through the processes: upload to decoder, pixels to engine, lines back."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator

from model.admission import Ticket
from model.decoding.pool import Decoders
from model.errors import ReaderDied, ReadingTimeout
from model.reading import Decoded, Implausible, Line, Page, lines_and_times
from model.sizing import this_machine
from model.workers import memfd
from model.workers.child import Child
from model.workers.fair_queue import FairSemaphore
from model.workers.pool import Pool

_FIRST_GUESS_S = 1.0  # what a reading takes, until one has been timed
_NEWEST = 0.2  # weight of the newest reading in the mean time
_RESULT_BYTES = 64 << 20


class Pipeline:
    """Reads pages, each `read_timeout_s` at most once its pixels are there."""

    def __init__(
        self,
        decoders: Decoders,
        engines: Pool,
        *,
        threads: int,
        ahead: int,
        read_timeout_s: float,
        model: str,
    ) -> None:
        """`ahead` is how many pages may be decoded and not yet read: they are large.

        A page read alone gets `threads`; pages read at the same time share the processors.
        """
        self._decoders = decoders
        self._engines = engines
        self._threads = threads
        self._processors = this_machine().processors
        self._ahead = FairSemaphore(ahead)
        self._read_timeout_s = read_timeout_s
        self._model = model
        self._closed = False
        self.mean_s = _FIRST_GUESS_S

    async def read_page(
        self,
        ticket: Ticket,
        upload: int,
        size_bytes: int,
        number: int,
        *,
        detect: bool,
        admit: Callable[[int], None],
    ) -> Page:
        """Read one page of a ticket's sealed upload when its turn comes.

        `admit` is told how many pages there are before this one is read, and may raise. Raises
        every ReadingError but Busy.
        """
        if self._closed:
            raise ReaderDied("the reader is closed")
        began = time.perf_counter()
        async with self._ahead.turn(ticket.caller):
            ticket.served = True
            self._engines.wake()
            decoded, decode_s = await self._decoders.decode(upload, size_bytes, number)
            try:
                admit(decoded.pages)
                lines, times, engine_s = await self._recognise(decoded, detect=detect)
            finally:
                os.close(decoded.pixels)
        self.mean_s += _NEWEST * (engine_s - self.mean_s)
        total_s = time.perf_counter() - began
        times |= {"decode": decode_s * 1000, "queue": (total_s - decode_s - engine_s) * 1000}
        times["total"] = total_s * 1000
        size = (decoded.width, decoded.height)
        return Page(number, decoded.of_document, lines, *size, self._model, times)

    async def warm(self, engines: int | None = None) -> None:
        """Start the processes. Raises ReaderDied, WeightsError."""
        await asyncio.gather(self._decoders.warm(), self._engines.warm(engines))

    async def unload(self) -> None:
        """End the processes that do nothing."""
        await self._engines.unload()
        await self._decoders.unload()

    async def aclose(self) -> None:
        """End the processes, whatever they are doing; later readings raise ReaderDied."""
        self._closed = True
        await self._decoders.aclose()
        await self._engines.aclose()

    def _share(self) -> int:
        """Return how many threads one of the pages being read may have."""
        return max(1, min(self._threads, self._processors // self._engines.running))

    async def _recognise(
        self, page: Decoded, *, detect: bool
    ) -> tuple[tuple[Line, ...], dict[str, float], float]:
        """Pass a page's pixels to an engine; return its lines, its steps' ms, and the seconds."""
        room = memfd.room("reading", _RESULT_BYTES)
        try:
            async with self._engines.place() as engine:
                lent = time.perf_counter()
                question = {
                    "width": page.width,
                    "height": page.height,
                    "detect": detect,
                    "threads": self._share(),
                }
                try:
                    async with asyncio.timeout(self._read_timeout_s):
                        answer = await engine.ask(question, page.pixels, room)
                except TimeoutError as error:
                    raise ReadingTimeout("reading", self._read_timeout_s) from error
                with _believing(engine):
                    lines, times = lines_and_times(answer, room, _RESULT_BYTES)
                return lines, times, time.perf_counter() - lent
        finally:
            os.close(room)


@contextlib.contextmanager
def _believing(child: Child) -> Iterator[None]:
    """End the child whose answer turns out Implausible. Raises ReaderDied then."""
    try:
        yield
    except Implausible as error:
        child.process.kill(f"it answered with {error}")
        raise ReaderDied(f"a process answered with {error}") from error
