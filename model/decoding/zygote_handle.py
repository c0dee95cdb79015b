"""The parent's handle on the zygote and on the decoders it forks."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from model.errors import ReaderDied, ReadingTimeout, UnreadableImage
from model.workers.channel import ChannelError, Message, decode
from model.workers.process import Process, how, place_of, retrieve

_ANSWER_BYTES = 4096
_KILL_GRACE_S = 2.0  # for the zygote to end a decoder; then it is ended itself, with all of them


class ZygoteHandle:
    """The parent's handle on the zygote and on the decoders it forks."""

    def __init__(
        self, on_decoder_death: Callable[[str], None], on_end: Callable[["ZygoteHandle"], None]
    ) -> None:
        self._on_decoder_death = on_decoder_death
        self._on_end = on_end
        self._sequence = 1  # the start message's
        self._ends: dict[int, asyncio.Future[int | None]] = {}
        self._started: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._started.add_done_callback(retrieve)
        self._ends[1] = self._started
        self._process = Process("zygote", on_message=self._take, on_end=self._gone)

    @property
    def alive(self) -> bool:
        """Whether it forks."""
        return self._process.alive

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def cause(self) -> str:
        """How it ended."""
        return self._process.cause

    async def start(self, configuration: Message) -> None:
        """Configure it and wait until it is locked. Raises ReaderDied."""
        self._process.send({**configuration, "sequence": 1})
        await asyncio.shield(self._started)

    async def decode(self, question: Message, upload: int, room: int, timeout_s: float) -> Message:
        """Return what a decoder answered before it ended.

        Raises ReadingTimeout, ReaderDied, UnreadableImage where it ended without an answer.
        """
        self._sequence += 1
        sequence = self._sequence
        ended = self._ends[sequence] = asyncio.get_running_loop().create_future()
        ended.add_done_callback(retrieve)
        answer, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            try:
                self._process.send({**question, "sequence": sequence}, upload, room, theirs)
            finally:
                os.close(theirs)
            status = await self._end_of(sequence, ended, timeout_s)
            with contextlib.suppress(BlockingIOError, ChannelError):
                message = decode(os.read(answer, _ANSWER_BYTES))
                if status == 0:
                    if "cause" in message:
                        self._on_decoder_death(place_of(message["cause"]))
                    return message
        finally:
            os.close(answer)
        cause = "it could not be forked" if status is None else how(status)
        self._on_decoder_death(cause)
        if status is None:
            raise ReaderDied(cause)
        raise UnreadableImage(cause)

    def kill(self) -> None:
        """End it, and with it every decoder."""
        self._process.kill()

    async def aclose(self) -> None:
        """End it and wait until it is gone."""
        await self._process.aclose()

    async def _end_of(
        self, sequence: int, ended: "asyncio.Future[int | None]", timeout_s: float
    ) -> int | None:
        """Return a decoder's exit status; end it where it is late or its asker leaves."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(ended)
        except TimeoutError as error:
            self._process.send({"kill": sequence})
            await asyncio.wait([ended], timeout=_KILL_GRACE_S)
            if not ended.done():
                self._process.kill("it did not end a decoder")
            raise ReadingTimeout("decoding", timeout_s) from error
        except asyncio.CancelledError:
            if self.alive:
                self._process.send({"kill": sequence})
            raise

    def _take(self, message: Message) -> None:
        """Note that a decoder has ended, or that the zygote is ready."""
        sequence = message.get("ended", message.get("sequence"))
        ended = self._ends.pop(sequence, None) if isinstance(sequence, int) else None
        if ended is None:
            self._process.kill("it told of what nobody asked")
        else:
            ended.set_result(message.get("status"))

    def _gone(self) -> None:
        for ended in self._ends.values():
            ended.set_exception(ReaderDied(f"the zygote died: {self.cause}"))
        self._ends.clear()
        self._on_end(self)
