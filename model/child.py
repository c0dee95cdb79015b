"""The parent's handle on one child process: start it, ask it, end it.

A child answers one question at a time. Every question has a sequence number that its answer must
repeat; an answer to anything else means that the child can no longer be told whose text it holds,
and it is killed. Everything here runs on the event loop's thread.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from model.channel import Channel, ChannelError, Message, close_all
from model.errors import ReaderDied

Answer = tuple[Message, list[int]]

_PROJECT = Path(__file__).resolve().parent.parent
_CODE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from model.bootstrap import main; main()"


class Child:
    """A running child process and the channel to it."""

    def __init__(self, module: str, on_end: Callable[["Child"], None]) -> None:
        """Start `model.<module>`; needs a running event loop. Raises ReaderDied.

        `on_end` is called once, when the process is gone.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        with theirs:
            try:
                self._process = _start(module, theirs.fileno())
            except OSError as error:
                ours.close()
                raise ReaderDied(f"the {module} did not start: {error}") from error
        self._module = module
        self._on_end = on_end
        self._channel = Channel(ours)
        self._sequence = 0
        self._answer: asyncio.Future[Answer] | None = None
        self._last_words = ""
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._pidfd = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._pidfd, self._reap)
        self._loop.add_reader(ours.fileno(), self._receive)
        self.alive = True

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def busy(self) -> bool:
        """Whether a question is unanswered, though its asker may have left."""
        return self._answer is not None and not self._answer.done()

    async def ask(self, message: Message, *descriptors: int) -> Answer:
        """Return the child's answer; its descriptors are the caller's to close.

        A cancelled ask leaves the child busy: `settle` it before the next. Raises ReaderDied.
        """
        if not self.alive or self.busy:
            raise ReaderDied(f"the {self._module} is not free")
        self._sequence += 1
        self._answer = self._loop.create_future()
        try:
            self._channel.send({**message, "sequence": self._sequence}, *descriptors)
        except OSError:
            self.kill()
        try:
            return await asyncio.shield(self._answer)
        except asyncio.CancelledError:
            self._answer.add_done_callback(_discard)
            raise

    async def settle(self, grace_s: float) -> None:
        """Have a question whose asker left dropped; kill the child where it doesn't in time."""
        if self._answer is None or self._answer.done():
            return
        if grace_s > 0:
            with contextlib.suppress(OSError):
                self._channel.send({"cancel": self._sequence})
                await asyncio.wait([self._answer], timeout=grace_s)
        if self.busy:
            self.kill()

    def kill(self) -> None:
        """End the process now; an unanswered question gets ReaderDied."""
        if not self.alive:
            return
        self.alive = False
        self._loop.remove_reader(self._channel.fileno())
        self._channel.close()
        # Through the descriptor, not the number: a number may belong to another by now.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        if self._answer is not None and not self._answer.done():
            why = f": {self._last_words}" if self._last_words else ""
            self._answer.set_exception(ReaderDied(f"the {self._module} died{why}"))

    async def aclose(self) -> None:
        """End the process and wait until it is gone."""
        self.kill()
        await asyncio.shield(self._ended)

    def _receive(self) -> None:
        """Take one message off the channel and hand it to its asker."""
        try:
            message, descriptors = self._channel.receive()
        except BlockingIOError:
            return
        except (EOFError, OSError, ChannelError):
            self.kill()
            return
        if "died" in message:
            self._last_words = str(message["died"])
        elif self.busy and message.get("sequence") == self._sequence and self._answer is not None:
            self._answer.set_result((message, descriptors))
            return
        close_all(descriptors)
        if "died" not in message:
            self._last_words = "it answered what nobody asked"
            self.kill()

    def _reap(self) -> None:
        """Collect the ended process, so that it does not stay a zombie."""
        self._loop.remove_reader(self._pidfd)
        self._process.wait()
        for _ in range(2):  # what it said last may still be in the channel
            if self.alive:
                self._receive()
        self.kill()
        os.close(self._pidfd)
        self._ended.set_result(None)
        self._on_end(self)


def _start(module: str, descriptor: int) -> subprocess.Popen[bytes]:
    """Start the process with nothing of ours but one end of the channel.

    A session of its own keeps the terminal's Ctrl-C from it: the parent ends it in good order.
    """
    command = [sys.executable, "-I", "-c", _CODE, str(_PROJECT), module]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [*command, str(descriptor), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        pass_fds=[descriptor],
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """Return the few variables a child needs: secrets in ours are not for it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        # onnxruntime's Linux wheels report home and leave files there unless told before import.
        "ORT_DISABLE_TELEMETRY": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # Large blocks are given back when freed: left to itself, glibc keeps more and more of them.
        "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    }


def _discard(answer: "asyncio.Future[Answer]") -> None:
    """Close what came for an asker that had left."""
    if not answer.cancelled() and answer.exception() is None:
        close_all(answer.result()[1])
