"""The entry point: takes an upload's bytes, returns lines of text, with processes that do the work.

An upload goes to a decoder process, each page's pixels to an engine process. This process only
passes descriptors, checks the results, and decides which request waits. It runs on one event loop
and imports none of the libraries that parse files or run networks.
"""

import asyncio
import contextlib
import math
from collections.abc import Iterator, Sequence

from model.admission import Admission, Full
from model.decoding.attempts import BYTES_PER_PIXEL
from model.decoding.pool import DecoderPool
from model.errors import Busy, ReadingError
from model.idle_timer import IdleTimer
from model.options import PageImage, ReadingOptions, WordMode
from model.page_warnings import PageWarning
from model.pages import ALL_PAGES, PageRange
from model.pipeline import Observe, Pipeline
from model.reader_state import ReaderState, reader_state
from model.reading import Block, Line, Page, Word
from model.slot import Charge, Slot, free_of_charge
from model.table_cell import Cell
from model.weights import checked_files
from model.workers.launcher import LAUNCHER, Launcher
from model.workers.neighbours import Neighbours
from model.workers.pool import Pool, Report
from model.workers.precedence import Precedence

__all__ = ["ALL_PAGES", "Block", "Cell", "Line", "Neighbours", "Page", "PageImage", "PageRange",
           "PageWarning", "Reader", "ReadingOptions", "Slot", "Word", "WordMode",
           "checked_files"]  # fmt: skip

_CANCEL_GRACE_S = 2.0  # an engine checks for a cancellation between lines; detection takes longest
_PROVE_TIMEOUT_S = 4.0  # less than the timeout of /readyz


class Reader:
    """Reads pages, `engines` at a time, while at most `max_waiting` more requests wait.

    It starts no process until the first reading (or `warm`), and stops the processes `idle_s`
    seconds after the last one (0: never). A page read alone has `threads`; pages read at the same
    time share the processors. With `seccomp` every process is restricted before it gets an upload.
    Pages being decoded or read take up to `page_memory_bytes`; one that takes more is refused.
    `report` gets the name and the cause of each process that dies, `observe` the times of a page.
    """

    def __init__(
        self,
        *,
        detector: str,
        recogniser: str,
        max_pixels: int,
        max_pages: int,
        page_memory_bytes: int,
        pdf_dpi: int,
        engines: int,
        spare_engines: int = 0,
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
        observe: Observe = lambda _times_ms: None,
        launcher: Launcher = LAUNCHER,
        neighbours: Neighbours | None = None,
    ) -> None:
        """Check the SHA-256 of the weights.

        Raises:
            WeightsError: a file is missing or different, or a name is unknown.

        """
        max_pixels = min(max_pixels, page_memory_bytes // BYTES_PER_PIXEL)
        self._files = checked_files(detector, recogniser)
        self._max_pages = max_pages
        self._admission = Admission(engines + max_waiting)
        self._decoders = DecoderPool(
            launcher,
            size=decoders,
            max_pixels=max_pixels,
            dpi=pdf_dpi,
            timeout_s=decode_timeout_s,
            start_timeout_s=start_timeout_s,
            seccomp=seccomp,
            report=report,
        )
        configuration = {"detector": detector, "recogniser": recogniser, "threads": threads,
                         "max_pixels": max_pixels, "seccomp": seccomp}  # fmt: skip
        self._engines = Pool(
            launcher, "engine", configuration, size=engines, spare=spare_engines,
            start_timeout_s=start_timeout_s, cancel_grace_s=_CANCEL_GRACE_S,
            max_requests=max_readings, report=report,
        )  # fmt: skip
        self._pipeline = Pipeline(
            self._decoders,
            self._engines,
            Precedence(self._admission.by_caller, neighbours),
            page_memory_bytes=page_memory_bytes,
            threads=threads,
            read_timeout_s=read_timeout_s,
            model=f"{detector}+{recogniser}",
            observe=observe,
        )
        self._idle = IdleTimer(idle_s, self._stop_if_idle)
        self._proving: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def running(self) -> int:
        """The number of pages in an engine."""
        return self._engines.running

    @property
    def deaths(self) -> int:
        """The number of processes that died or had to be killed."""
        return self._decoders.deaths + self._engines.deaths

    @property
    def loaded(self) -> bool:
        """Whether an engine is running."""
        return bool(self._engines.pids)

    @property
    def state(self) -> ReaderState:
        """What it is doing now, in numbers."""
        return reader_state(
            self._admission, self._engines, self._decoders, self._pipeline.precedence
        )

    def verify(self) -> None:
        """Check that the weights are still in place, without reading them.

        Raises:
            WeightsError: a file is missing.

        """
        for file in self._files:
            file.locate()

    async def warm(self, engines: int | None = None) -> None:
        """Start the processes; each engine loads the networks and tests itself.

        Raises:
            ReaderDied: a process did not start.
            WeightsError: a file is missing or different.

        """
        await self._pipeline.warm(engines)
        self._restart_idle_timer()

    async def prove(self) -> bool:
        """Return whether an engine has passed its self-test; the first call starts one."""
        if self._engines.started:
            return True
        if self._proving is None or self._proving.done():
            self._proving = asyncio.get_running_loop().create_task(self._start_one())
        await asyncio.wait([self._proving], timeout=_PROVE_TIMEOUT_S)
        return self._engines.started > 0

    async def read(
        self, upload: bytes, *, detect: bool = True, ranges: Sequence[PageRange] = ALL_PAGES
    ) -> list[Page]:
        """Return the pages of one upload, read in a slot of its own.

        Raises:
            ReadingError: any.

        """
        with self.slot("local") as slot:
            options = ReadingOptions(detect=detect)
            return [page async for page in slot.pages(upload, options, ranges=ranges)]

    @contextlib.contextmanager
    def slot(self, caller: str, charge: Charge = free_of_charge) -> Iterator[Slot]:
        """Hold a slot for a request whose uploads may not have arrived; `charge`: see Slot.

        Raises:
            Busy: all slots are taken; or, until its first page is decoded, this one has been given
                to a caller who holds fewer.

        """
        self._idle.cancel()
        try:
            with self._admission.ticket(caller) as ticket:
                yield Slot(self._pipeline, ticket, self._max_pages, charge)
        except Full:
            ahead = len(self._admission) - self._engines.size + 1
            raise Busy(math.ceil(self._pipeline.mean_s * ahead / self._engines.size)) from None
        finally:
            self._restart_idle_timer()

    async def aclose(self) -> None:
        """Stop the processes, busy or not; later readings raise ReaderDied."""
        self._closed = True
        await self._idle.aclose()
        if self._proving is not None:
            self._proving.cancel()
        await self._pipeline.aclose()

    async def _start_one(self) -> None:
        """Start one engine; if it fails, the cause has been reported."""
        with contextlib.suppress(ReadingError):
            await self.warm(engines=1)

    def _restart_idle_timer(self) -> None:
        """Start the idle time again if no request is admitted."""
        if self._admission or self._closed:
            self._idle.cancel()
        else:
            self._idle.restart()

    async def _stop_if_idle(self) -> None:
        if not self._admission:  # a request may have been admitted in the same iteration
            await self._pipeline.stop_idle()
