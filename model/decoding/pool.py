"""Uploads to pixels, each page in a process of its own that ends before its answer is looked at."""

import asyncio
import math
import os
import time
from collections.abc import Callable

from model.decoding.zygote_handle import ZygoteHandle
from model.errors import ReaderDied, UnreadableImage
from model.reading import Decoded, Implausible, decoded
from model.workers import memfd

_RGB = 3  # bytes a pixel
# Address space a decoder may take beyond the zygote's: what Pillow's and PDFium's worst modes hold
# of an image at once (measured: 16 bytes a pixel), and the upload.
_BYTES_PER_PIXEL, _BYTES_BESIDE = 24, 512 << 20

Report = Callable[[str, str], None]  # the process, and what befell it


class Decoders:
    """Decodes pages, `size` at a time, at most `timeout_s` each."""

    def __init__(
        self,
        *,
        size: int,
        max_pixels: int,
        dpi: int,
        timeout_s: float,
        start_timeout_s: float,
        seccomp: bool,
        report: Report,
    ) -> None:
        self._places = asyncio.Semaphore(size)
        self._starting = asyncio.Lock()
        self._zygote: ZygoteHandle | None = None
        self._newborn: ZygoteHandle | None = None
        self._closed = False
        self._max_pixels = max_pixels
        self._timeout_s = timeout_s
        self._start_timeout_s = start_timeout_s
        self._seccomp = seccomp
        self._report = report
        self._question = {
            "max_pixels": max_pixels,
            "dpi": dpi,
            "cpu_s": math.ceil(timeout_s) + 1,
            "seccomp": seccomp,
        }
        self.deaths = 0

    @property
    def pids(self) -> list[int]:
        """The zygote's id, while it lives."""
        return [self._zygote.pid] if self._zygote is not None and self._zygote.alive else []

    async def decode(self, upload: int, size_bytes: int, page: int) -> tuple[Decoded, float]:
        """Return the page's measures and pixels, whose descriptor the caller closes, and the s.

        Raises what is wrong with the upload, ReadingTimeout, ReaderDied.
        """
        async with self._places:
            zygote = await self._running()
            question = {**self._question, "bytes": size_bytes, "page": page}
            began = time.perf_counter()
            room = memfd.room("pixels", self._max_pixels * _RGB)
            try:
                message = await zygote.decode(question, upload, room, self._timeout_s)
                found = decoded(message, room, self._max_pixels)
                return found, time.perf_counter() - began
            except BaseException as error:
                os.close(room)
                if isinstance(error, Implausible):
                    self._died(str(error))
                    raise UnreadableImage(str(error)) from error
                raise

    async def warm(self) -> None:
        """Start the zygote."""
        await self._running()

    async def unload(self) -> None:
        """End the zygote, and with it every decoder."""
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            await zygote.aclose()

    async def aclose(self) -> None:
        """End it for good, one that is still starting, too; what is under way raises ReaderDied."""
        self._closed = True
        if self._newborn is not None:
            await self._newborn.aclose()
        await self.unload()

    async def _running(self) -> ZygoteHandle:
        async with self._starting:
            if self._closed:
                raise ReaderDied("the reader is closed")
            if self._zygote is None or not self._zygote.alive:
                self._zygote = await self._started()
            return self._zygote

    async def _started(self) -> ZygoteHandle:
        """Return a new zygote that is locked and forks. Raises ReaderDied."""
        zygote = self._newborn = ZygoteHandle(self._died, self._ended)
        memory_bytes = self._max_pixels * _BYTES_PER_PIXEL + _BYTES_BESIDE
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
            self._newborn = None
        return zygote

    def _died(self, cause: str) -> None:
        """Count and tell of a decoder that ended otherwise than by answering."""
        self.deaths += 1
        self._report("decoder", cause)

    def _ended(self, zygote: ZygoteHandle) -> None:
        """Count and tell of a zygote that ended by itself."""
        if zygote is self._zygote:
            self.deaths += 1
            self._report("zygote", zygote.cause)
