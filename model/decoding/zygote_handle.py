"""The parent's handle on the zygote and on the decoders that it forks."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from model.errors import ReaderDied, ReadingTimeout, UnreadableImage
from model.workers.channel import ChannelError, Message, decode
from model.workers.crash import checked_report, describe_exit
from model.workers.launcher import Launcher
from model.workers.process import Process, mark_retrieved

_RESPONSE_BYTES = 4096
_KILL_GRACE_S = 2.0  # for the zygote to kill a decoder; after that the zygote itself is killed
_START = 1  # the sequence number of the start message


class ZygoteHandle:
    """The parent's handle on the zygote and on the decoders that it forks."""

    def __init__(
        self,
        launcher: Launcher,
        on_decoder_death: Callable[[str], None],
        on_exit: Callable[["ZygoteHandle"], None],
    ) -> None:
        self._on_decoder_death = on_decoder_death
        self._on_exit = on_exit
        self._sequence = _START
        # The exit status of each decoder by its request; None is a fork that failed.
        self._statuses: dict[int, asyncio.Future[int | None]] = {}
        self._started: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._started.add_done_callback(mark_retrieved)
        self._statuses[_START] = self._started
        self._process = Process(
            launcher, "zygote", on_message=self._receive, on_exit=self._process_exited
        )

    @property
    def alive(self) -> bool:
        """Whether it can fork decoders."""
        return self._process.alive

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def cause(self) -> str:
        """Why it exited."""
        return self._process.cause

    async def start(self, configuration: Message) -> None:
        """Configure the zygote and wait until it is restricted.

        Raises:
            ReaderDied: it exited.

        """
        self._process.send({**configuration, "sequence": _START})
        await asyncio.shield(self._started)

    async def decode(self, request: Message, upload: int, output: int, timeout_s: float) -> Message:
        """Return what a decoder responded before it exited.

        Raises:
            ReadingTimeout: it took longer than `timeout_s`.
            ReaderDied: the zygote exited or could not fork.
            UnreadableImage: the decoder exited without a response.

        """
        response, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._sequence += 1
        sequence = self._sequence
        exited = self._statuses[sequence] = asyncio.get_running_loop().create_future()
        exited.add_done_callback(mark_retrieved)
        try:
            try:
                self._process.send({**request, "sequence": sequence}, upload, output, theirs)
            finally:
                os.close(theirs)
            status = await self._exit_status(sequence, exited, timeout_s)
            with contextlib.suppress(BlockingIOError, ChannelError):
                message = decode(os.read(response, _RESPONSE_BYTES))
                if status == 0:
                    if "crash" in message:
                        self._on_decoder_death(checked_report(message["crash"]))
                    return message
        finally:
            os.close(response)
        cause = "it could not be forked" if status is None else describe_exit(status)
        self._on_decoder_death(cause)
        if status is None:
            raise ReaderDied(cause)
        raise UnreadableImage(cause)

    def kill(self) -> None:
        """Kill the zygote, and with it every decoder."""
        self._process.kill()

    async def aclose(self) -> None:
        """Kill the zygote and wait until it has exited."""
        await self._process.aclose()

    async def _exit_status(
        self, sequence: int, exited: "asyncio.Future[int | None]", timeout_s: float
    ) -> int | None:
        """Return a decoder's exit status; kill it when it is late or its caller is cancelled."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(exited)
        except TimeoutError as error:
            self._process.send({"kill": sequence})
            await asyncio.wait([exited], timeout=_KILL_GRACE_S)
            if not exited.done():
                self._process.kill("it did not kill a decoder")
            raise ReadingTimeout("decoding", timeout_s) from error
        except asyncio.CancelledError:
            if self.alive:
                self._process.send({"kill": sequence})
            raise

    def _receive(self, message: Message) -> None:
        """Note that a decoder has exited, or that the zygote is ready."""
        sequence = message.get("exited", message.get("sequence"))
        exited = self._statuses.pop(sequence, None) if isinstance(sequence, int) else None
        if exited is None:
            self._process.kill("a message about an unknown request")
        else:
            exited.set_result(message.get("status"))

    def _process_exited(self) -> None:
        for exited in self._statuses.values():
            exited.set_exception(ReaderDied(f"the zygote died: {self.cause}"))
        self._statuses.clear()
        self._on_exit(self)
