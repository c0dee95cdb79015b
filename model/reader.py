"""The one way in: image bytes to lines of text, by processes that hold nothing else.

An upload goes to a decoder process, its pixels to an engine process; this file only passes
descriptors on, checks what comes back, and decides who waits. It runs on one event loop and
imports none of the libraries that parse images or run networks.
"""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import Iterator
from typing import Protocol

from model import sealed
from model.channel import Message, close_all
from model.child import Answer, Child
from model.errors import Busy, ReaderDied
from model.pool import Pool
from model.reading import Implausible, Line, Reading, lines_and_times, page_size
from model.weights import pick, pick_orientation

__all__ = ["Line", "Reader", "Reading"]

_CANCEL_GRACE_S = 2.0  # an engine looks for a cancellation between lines; detection is the longest
_FIRST_GUESS_S = 1.0  # what a reading takes, until one has been timed
_NEWEST = 0.2  # weight of the newest reading in the mean time


class Read(Protocol):
    """What a place gives: the way to read an image."""

    async def __call__(self, image: bytes, *, detect: bool = True) -> Reading:
        """Read one image."""


class Reader:
    """Reads images, `engines` at a time, while at most `max_waiting` more wait.

    Starts nothing until the first reading (or `warm`), and ends the processes `idle_s` seconds
    after the last one (0: never). `threads` of each engine; 0 takes every core there is.
    """

    def __init__(
        self,
        *,
        detector: str,
        recogniser: str,
        max_pixels: int,
        engines: int,
        decoders: int,
        threads: int,
        max_waiting: int,
        idle_s: float,
        start_timeout_s: float,
    ) -> None:
        """Check the weights' SHA-256. Raises WeightsError."""
        chosen = [pick(detector, "detector"), pick(recogniser, "recogniser"), pick_orientation()]
        self._files = [file for weights in chosen for file in weights.files]
        for file in self._files:
            file.read()
        self.model = f"{detector}+{recogniser}"
        self._max_pixels = max_pixels
        self._places = engines
        self._max_waiting = max_waiting
        self._idle_s = idle_s
        self._decoders = Pool(
            "decoder",
            {"max_pixels": max_pixels},
            size=decoders,
            start_timeout_s=start_timeout_s,
            cancel_grace_s=0,
        )
        self._engines = Pool(
            "engine",
            {
                "detector": detector,
                "recogniser": recogniser,
                "threads": threads or len(os.sched_getaffinity(0)),
            },
            size=engines,
            start_timeout_s=start_timeout_s,
            cancel_grace_s=_CANCEL_GRACE_S,
        )
        # Decoded pages are large: no more of them wait than there are decoders.
        self._ahead = asyncio.Semaphore(engines + decoders)
        self._admitted = 0
        self._mean_s = _FIRST_GUESS_S
        self._idle: asyncio.TimerHandle | None = None
        self._unloading: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def running(self) -> int:
        """Readings in an engine."""
        return self._engines.running

    @property
    def waiting(self) -> int:
        """Readings admitted but not yet in an engine."""
        return self._admitted - self._engines.running

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

    async def warm(self) -> None:
        """Start the processes and load the model now. Raises ReaderDied, WeightsError."""
        await self._decoders.warm()
        await self._engines.warm()
        self._rest()

    async def read(self, image: bytes, *, detect: bool = True) -> Reading:
        """Return what stands on an image; without `detect` it is taken as one line.

        Raises UnsupportedImageType, UnreadableImage, TooManyPixels, Busy, ReaderDied,
        WeightsError.
        """
        with self.place() as read:
            return await read(image, detect=detect)

    @contextlib.contextmanager
    def place(self) -> Iterator[Read]:
        """Hold a place among those that read or wait, for an image that is yet to come.

        Yields what reads an image, as `read` does, as often as it is called. Raises Busy where
        every place is taken, at once.
        """
        if self._admitted >= self._places + self._max_waiting:
            ahead = self._admitted - self._places + 1
            raise Busy(math.ceil(self._mean_s * ahead / self._places))
        self._admitted += 1
        try:
            yield self._read_in_turn
        finally:
            self._admitted -= 1
            self._rest()

    async def _read_in_turn(self, image: bytes, *, detect: bool = True) -> Reading:
        if self._closed:
            raise ReaderDied("the reader is closed")
        began = time.perf_counter()
        async with self._ahead:
            return await self._read(image, detect=detect, began=began)

    async def aclose(self) -> None:
        """End the processes, whatever they are doing; later readings raise ReaderDied."""
        self._closed = True
        if self._idle is not None:
            self._idle.cancel()
        if self._unloading is not None:
            await self._unloading
        await self._decoders.aclose()
        await self._engines.aclose()

    async def _read(self, image: bytes, *, detect: bool, began: float) -> Reading:
        """Pass the upload to a decoder and its pixels to an engine."""
        with contextlib.ExitStack() as held:
            upload = sealed.copy("upload", image)
            held.callback(os.close, upload)
            async with self._decoders.place() as decoder:
                lent = time.perf_counter()
                page, pixels = await _asked(decoder, held, {}, upload)
                decode_s = time.perf_counter() - lent
                with _believing(decoder):
                    width, height = page_size(page, pixels, self._max_pixels)
            question = {"width": width, "height": height, "detect": detect}
            async with self._engines.place() as engine:
                lent = time.perf_counter()
                _, result = await _asked(engine, held, question, *pixels)
                engine_s = time.perf_counter() - lent
                with _believing(engine):
                    lines, times = lines_and_times(result)
        self._mean_s += _NEWEST * (engine_s - self._mean_s)
        total_s = time.perf_counter() - began
        times |= {"decode": decode_s * 1000, "queue": (total_s - decode_s - engine_s) * 1000}
        times["total"] = total_s * 1000
        return Reading(lines, width, height, self.model, times)

    def _rest(self) -> None:
        """Begin to count the idle seconds anew."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._idle_s > 0 and not self._admitted and not self._closed:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self._idle_s, self._unload)

    def _unload(self) -> None:
        """Begin to end the idle processes."""
        self._unloading = asyncio.get_running_loop().create_task(self._end_idle())

    async def _end_idle(self) -> None:
        await self._engines.unload()
        await self._decoders.unload()


async def _asked(
    child: Child, held: contextlib.ExitStack, question: Message, *descriptors: int
) -> Answer:
    """Return the child's answer, its descriptors `held`."""
    answer, received = await child.ask(question, *descriptors)
    held.callback(close_all, received)
    return answer, received


@contextlib.contextmanager
def _believing(child: Child) -> Iterator[None]:
    """End the child whose answer turns out Implausible. Raises ReaderDied then."""
    try:
        yield
    except Implausible as error:
        child.kill()
        raise ReaderDied(f"a process answered with {error}") from error
