"""The one way in: an upload's bytes to lines of text, by processes that hold nothing else.

An upload goes to a decoder process, each page's pixels to an engine process; this file only passes
descriptors on, checks what comes back, and decides who waits. It runs on one event loop and
imports none of the libraries that parse files or run networks.
"""

import asyncio
import contextlib
import math
from collections.abc import Iterator, Sequence

from model.admission import Admission, Full
from model.decoding.pool import Decoders, Report
from model.errors import Busy, ReadingError
from model.pages import ALL_PAGES, PageRange
from model.pipeline import Pipeline
from model.reading import Line, Page
from model.slot import Slot
from model.weights import checked_files
from model.workers.channel import Message
from model.workers.pool import Pool

__all__ = ["ALL_PAGES", "Line", "Page", "PageRange", "Reader", "Slot"]

_CANCEL_GRACE_S = 2.0  # an engine looks for a cancellation between lines; detection is the longest
_PROOF_S = 4.0  # less than /readyz is given


class Reader:
    """Reads pages, `engines` at a time, while at most `max_waiting` more requests wait.

    Starts nothing until the first reading (or `warm`), and ends the processes `idle_s` seconds
    after the last one (0: never). A page read alone has `threads`; those read at a time share the
    cores. With `seccomp` every process is locked before it sees an upload;
    `report` is told of those that end otherwise than they should: which, and how.
    """

    def __init__(
        self,
        *,
        detector: str,
        recogniser: str,
        max_pixels: int,
        max_pages: int,
        pdf_dpi: int,
        engines: int,
        decoders: int,
        threads: int,
        max_waiting: int,
        idle_s: float,
        start_timeout_s: float,
        decode_timeout_s: float,
        read_timeout_s: float,
        max_readings: int,
        seccomp: bool,
        report: Report,
    ) -> None:
        """Check the weights' SHA-256. Raises WeightsError."""
        self._files = checked_files(detector, recogniser)
        self._max_pages = max_pages
        self._places = engines
        self._admission = Admission(engines + max_waiting)
        self._idle_s = idle_s
        self._decoders = Decoders(
            size=decoders,
            max_pixels=max_pixels,
            dpi=pdf_dpi,
            timeout_s=decode_timeout_s,
            start_timeout_s=start_timeout_s,
            seccomp=seccomp,
            report=report,
        )
        self._engines = Pool(
            "engine",
            _engine_start(detector, recogniser, threads, max_pixels, seccomp=seccomp),
            size=engines,
            start_timeout_s=start_timeout_s,
            cancel_grace_s=_CANCEL_GRACE_S,
            max_questions=max_readings,
            report=report,
        )
        self._pipeline = Pipeline(
            self._decoders,
            self._engines,
            threads=threads,
            ahead=engines + decoders,
            read_timeout_s=read_timeout_s,
            model=f"{detector}+{recogniser}",
        )
        self._idle: asyncio.TimerHandle | None = None
        self._unloading: asyncio.Task[None] | None = None
        self._proving: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def running(self) -> int:
        """Readings in an engine."""
        return self._engines.running

    @property
    def waiting(self) -> int:
        """Requests admitted but not yet in an engine."""
        return len(self._admission) - self._engines.running

    @property
    def deaths(self) -> int:
        """Processes that died or had to be killed, ever."""
        return self._decoders.deaths + self._engines.deaths

    @property
    def loaded(self) -> bool:
        """Whether an engine is running."""
        return bool(self._engines.pids)

    def verify(self) -> None:
        """Check cheaply that the weights are still in place. Raises WeightsError."""
        for file in self._files:
            file.locate()

    async def warm(self, engines: int | None = None) -> None:
        """Start the processes, load the model and test it now. Raises ReaderDied, WeightsError."""
        await self._pipeline.warm(engines)
        self._rest()

    async def prove(self) -> bool:
        """Tell whether an engine has ever read under its own lock; the first call starts one."""
        if self._engines.started:
            return True
        if self._proving is None or self._proving.done():
            self._proving = asyncio.get_running_loop().create_task(self._try())
        await asyncio.wait([self._proving], timeout=_PROOF_S)
        return self._engines.started > 0

    async def read(
        self, upload: bytes, *, detect: bool = True, ranges: Sequence[PageRange] = ALL_PAGES
    ) -> list[Page]:
        """Return an upload's pages, as a `place` of its own reads them. Raises ReadingError."""
        with self.slot("local") as slot:
            return [page async for page in slot.pages(upload, detect=detect, ranges=ranges)]

    @contextlib.contextmanager
    def slot(self, caller: str) -> Iterator[Slot]:
        """Hold a place among those that read or wait, for uploads that are yet to come.

        Raises Busy where every place is taken, at once; or later, until its first page is read,
        when a caller who holds fewer places wants one.
        """
        try:
            with self._admission.ticket(caller) as ticket:
                yield Slot(self._pipeline, ticket, self._max_pages)
        except Full:
            ahead = len(self._admission) - self._places + 1
            raise Busy(math.ceil(self._pipeline.mean_s * ahead / self._places)) from None
        finally:
            self._rest()

    async def aclose(self) -> None:
        """End the processes, whatever they are doing; later readings raise ReaderDied."""
        self._closed = True
        if self._idle is not None:
            self._idle.cancel()
        if self._unloading is not None:
            await self._unloading
        if self._proving is not None:
            self._proving.cancel()
        await self._pipeline.aclose()

    async def _try(self) -> None:
        """Start one engine; why it does not start has been reported."""
        with contextlib.suppress(ReadingError):
            await self.warm(engines=1)

    def _rest(self) -> None:
        """Begin to count the idle seconds anew."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._idle_s > 0 and not self._admission and not self._closed:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self._idle_s, self._unload)

    def _unload(self) -> None:
        """Begin to end the idle processes."""
        self._unloading = asyncio.get_running_loop().create_task(self._pipeline.unload())


def _engine_start(
    detector: str, recogniser: str, threads: int, max_pixels: int, *, seccomp: bool
) -> Message:
    """Return the message an engine starts with."""
    return {
        "detector": detector,
        "recogniser": recogniser,
        "threads": threads,
        "max_pixels": max_pixels,
        "seccomp": seccomp,
    }
