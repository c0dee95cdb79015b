"""The parent's handle on the zygote and on the decoders that it forks."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from model.errors import ReaderDied, ReadingTimeout, UnreadableImage
from model.workers.channel import ChannelError, Message, decode
from model.workers.crash import checked_report, describe_exit
from model.workers.descriptors import busy_without_descriptors
from model.workers.launcher import Launcher
from model.workers.process import Process, mark_retrieved
from model.workers.resident_memory import ResidentMemory

_RESPONSE_BYTES = 4096
_KILL_GRACE_S = 2.0  # for the zygote to kill a decoder; after that the zygote itself is killed
_MAX_CPU_S = 1e6  # more than any decoder can use
_START = 1  # the sequence number of the start message


class SlowPage(ReadingTimeout):
    """A page took longer than its limit; with fewer pixels it may not."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A decoder's exit status, None if it could not be forked, and its processor time."""

    status: int | None
    cpu_s: float


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
        self._exits: dict[int, asyncio.Future[Exit]] = {}  # of each request's decoder
        self._started: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self._started.add_done_callback(mark_retrieved)
        self._exits[_START] = self._started
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
    def memory(self) -> ResidentMemory:
        """Its resident memory."""
        return self._process.memory

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

    async def decode(
        self,
        request: Message,
        upload: int,
        output: int,
        *,
        timeout_s: float,
        charge: Callable[[float], None],
    ) -> Message:
        """Return what a decoder responded before it exited.

        `charge` is called with its processor time, when it has exited.

        Raises:
            SlowPage: it used more processor time than the request allows, or took longer than
                `timeout_s`.
            ReadingTimeout: the document's form used more processor time than the request allows.
            ReaderDied: the zygote exited or could not fork.
            UnreadableImage: the decoder exited without a response.
            Busy: there is no file descriptor left.

        """
        with busy_without_descriptors():
            response, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._sequence += 1
        sequence = self._sequence
        exited = self._exits[sequence] = asyncio.get_running_loop().create_future()
        exited.add_done_callback(lambda done: _charge(done, charge))
        try:
            try:
                self._process.send({**request, "sequence": sequence}, upload, output, theirs)
            finally:
                os.close(theirs)
            status = (await self._exit(sequence, exited, timeout_s)).status
            _raise_if_out_of_time(status, request)
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

    async def _exit(self, sequence: int, exited: "asyncio.Future[Exit]", timeout_s: float) -> Exit:
        """Return how a decoder ended; kill it when it is late or its caller is cancelled."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(exited)
        except TimeoutError as error:
            self._process.send({"kill": sequence})
            await asyncio.wait([exited], timeout=_KILL_GRACE_S)
            if not exited.done():
                self._process.kill("it did not kill a decoder")
            raise SlowPage("decoding", timeout_s) from error
        except asyncio.CancelledError:
            if self.alive:
                self._process.send({"kill": sequence})
            raise

    def _receive(self, message: Message) -> None:
        """Note that a decoder has exited, or that the zygote is ready."""
        sequence = message.get("exited", message.get("sequence"))
        cpu_s = message.get("cpu_s", 0.0)
        if not isinstance(sequence, int) or sequence not in self._exits:
            self._process.kill("a message about an unknown request")
        elif not isinstance(cpu_s, int | float) or not 0 <= cpu_s < _MAX_CPU_S:
            self._process.kill("an impossible processor time")
        else:
            self._exits.pop(sequence).set_result(Exit(message.get("status"), cpu_s))

    def _process_exited(self) -> None:
        for exited in self._exits.values():
            exited.set_exception(ReaderDied(f"the zygote died: {self.cause}"))
        self._exits.clear()
        self._on_exit(self)


def _charge(done: "asyncio.Future[Exit]", charge: Callable[[float], None]) -> None:
    """Report the processor time of a decoder that has exited."""
    if not done.cancelled() and done.exception() is None:
        charge(done.result().cpu_s)


def _raise_if_out_of_time(status: int | None, request: Message) -> None:
    """Raise the error that stands for the signals by which a decoder's time limits end it.

    Raises:
        SlowPage: the limit for the page.
        ReadingTimeout: the limit for the form.

    """
    if status == -signal.SIGPROF:
        raise SlowPage("decoding", request["cpu_s"])
    if status == -signal.SIGVTALRM:
        raise ReadingTimeout("decoding", request["form_s"])
