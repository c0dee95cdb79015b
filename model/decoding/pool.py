"""Decode uploads to pixels, each page in a process that has exited before its response is read."""

import asyncio
import os
import time
from contextlib import AbstractAsyncContextManager

from model.decoding.attempts import Attempt, decoded
from model.decoding.signatures import HEAD_BYTES, is_pdf
from model.decoding.zygote_handle import ZygoteHandle
from model.errors import ReaderDied, UnreadableImage
from model.reading import DecodedImage, Implausible, decoded_image
from model.workers import memfd
from model.workers.channel import Message
from model.workers.fair_queue import FairSemaphore, Turn
from model.workers.launcher import Launcher
from model.workers.memory_budget import Reservation
from model.workers.pool import Report
from model.workers.processor_time import WALL_FACTOR
from model.workers.resident_memory import children_of, known, resident_bytes

_RGB = 3  # bytes a pixel
# Address space that a decoder may have beyond the zygote's: what Pillow's and PDFium's most
# expensive modes take of an image at once (measured: 16 bytes a pixel), and the upload.
_BYTES_PER_PIXEL, _EXTRA_BYTES = 24, 512 << 20
_WALL_EXTRA_S = 1.0  # beside WALL_FACTOR, so that a small limit leaves time for the fork
_FORM_SHARE = 0.25  # of a page's processor time, for the fields of its document's form
_SLOW_S = 1.0  # after which a page no longer keeps other callers from decoding


class DecoderPool:
    """Decodes pages, `size` at a time, each in at most `timeout_s` of processor time.

    A PDF page that takes longer is rendered once more, with half its width and height and in half
    the time.

    `report` is called for a decoder or zygote that exited by itself or could not start.
    """

    def __init__(
        self,
        launcher: Launcher,
        *,
        size: int,
        max_pixels: int,
        dpi: int,
        timeout_s: float,
        start_timeout_s: float,
        seccomp: bool,
        report: Report,
    ) -> None:
        self._launcher = launcher
        self._turns = FairSemaphore(size)
        self._start_lock = asyncio.Lock()
        self._zygote: ZygoteHandle | None = None
        self._starting: ZygoteHandle | None = None
        self._closed = False
        self._max_pixels = max_pixels
        self._timeout_s = timeout_s
        self._start_timeout_s = start_timeout_s
        self._seccomp = seccomp
        self._report = report
        self._request = {
            "max_pixels": max_pixels,
            "dpi": dpi,
            "form_s": timeout_s * _FORM_SHARE,
            "seccomp": seccomp,
        }
        self.deaths = 0

    @property
    def pids(self) -> list[int]:
        """The id of the zygote, while it runs."""
        return [self._zygote.pid] if self._zygote is not None and self._zygote.alive else []

    def memory_bytes(self) -> dict[str, list[int]]:
        """Return the resident memory of the zygote and of each decoder, as far as it is known."""
        if self._zygote is None or not self._zygote.alive:
            return {"zygote": [], "decoder": []}
        decoders = map(resident_bytes, children_of(self._zygote.pid))
        return {
            "zygote": known([self._zygote.memory.bytes()]),
            "decoder": known(decoders),
        }

    def turn(self, caller: str) -> AbstractAsyncContextManager[Turn]:
        """Wait for the caller's turn to decode a page, and hold it."""
        return self._turns.turn(caller)

    async def decode(
        self, upload: int, size_bytes: int, page: int, turn: Turn, memory: Reservation
    ) -> tuple[DecodedImage, float]:
        """Return a page's pixels, whose descriptor the caller closes, and the seconds it took.

        The caller of the turn is charged. `memory` is what the page takes until it has been read.

        Raises:
            ReadingError: the decoder's error about the upload.
            ReadingTimeout: it took longer than `timeout_s`.
            ReaderDied: the zygote exited or did not start.

        """
        request = {**self._request, "bytes": size_bytes, "page": page}
        document = is_pdf(os.pread(upload, HEAD_BYTES, 0))
        began = time.perf_counter()
        slow = asyncio.get_running_loop().call_later(_SLOW_S, turn.mark_slow)
        try:
            image = await decoded(
                lambda attempt: self._attempt(attempt, request, upload),
                memory,
                max_pixels=self._max_pixels,
                document=document,
                cpu_s=self._timeout_s,
                charge=turn.charge,
            )
        finally:
            slow.cancel()
        return image, time.perf_counter() - began - memory.waited_s

    async def _attempt(self, attempt: Attempt, request: Message, upload: int) -> DecodedImage:
        """Return a page's pixels.

        Raises:
            ReadingError: as of `decode`.
            SlowPage: it took longer than `attempt.cpu_s`.
            TooManyPixels: it has more than `attempt.pixels`.

        """
        zygote = await self._running()
        cpu_s = attempt.cpu_s
        limits = {"pixels": attempt.pixels, "reduction": attempt.reduction, "cpu_s": cpu_s}
        output = memfd.output_buffer("pixels", self._max_pixels * _RGB)
        try:
            response = await zygote.decode(
                {**request, **limits},
                upload,
                output,
                timeout_s=cpu_s * WALL_FACTOR + _WALL_EXTRA_S,
                charge=attempt.charge,
            )
            return decoded_image(response, output, attempt.pixels)
        except BaseException as error:
            os.close(output)
            if isinstance(error, Implausible):
                self._decoder_died(str(error))
                raise UnreadableImage(str(error)) from error
            raise

    async def warm(self) -> None:
        """Start the zygote.

        Raises:
            ReaderDied: it did not start, or the pool is closed.

        """
        await self._running()

    async def stop(self) -> None:
        """Stop the zygote, and with it every decoder; the next page starts another one."""
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            await zygote.aclose()

    async def aclose(self) -> None:
        """Stop the zygote for good, even while it starts; pages in progress raise ReaderDied."""
        self._closed = True
        if self._starting is not None:
            await self._starting.aclose()
        await self.stop()

    async def _running(self) -> ZygoteHandle:
        """Return the zygote; start one if there is none."""
        async with self._start_lock:
            if self._closed:
                raise ReaderDied("the reader is closed")
            if self._zygote is None or not self._zygote.alive:
                self._zygote = await self._start()
            return self._zygote

    async def _start(self) -> ZygoteHandle:
        """Return a new zygote that is restricted and ready to fork."""
        zygote = self._starting = ZygoteHandle(
            self._launcher, self._decoder_died, self._zygote_exited
        )
        memory_bytes = self._max_pixels * _BYTES_PER_PIXEL + _EXTRA_BYTES
        try:
            async with asyncio.timeout(self._start_timeout_s):
                await zygote.start({"memory_bytes": memory_bytes, "seccomp": self._seccomp})
        except TimeoutError as error:
            zygote.kill()
            late = f"the zygote did not start in {self._start_timeout_s:g} s"
            self._report("zygote", late)
            raise ReaderDied(late) from error
        except asyncio.CancelledError:
            zygote.kill()
            raise
        except ReaderDied as death:
            if not self._closed:
                self._report("zygote", str(death))
            raise
        finally:
            self._starting = None
        return zygote

    def _decoder_died(self, cause: str) -> None:
        """Count and report a decoder that exited without a valid response."""
        self.deaths += 1
        self._report("decoder", cause)

    def _zygote_exited(self, zygote: ZygoteHandle) -> None:
        """Count and report a zygote that exited by itself."""
        if zygote is self._zygote:
            self.deaths += 1
            self._report("zygote", zygote.cause)
