"""The parent's handle on a process that reads: start it, talk to it, learn how it ended.

Everything here runs on the event loop's thread.
"""

import asyncio
import builtins
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from model.errors import ReaderDied
from model.workers.channel import Channel, ChannelError, Message

_PROJECT = Path(__file__).resolve().parents[2]
_CODE = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from model.workers.bootstrap import main; main()"
)
# Large blocks are given back when freed: left to itself, glibc keeps more and more of them.
_ALLOCATOR = {
    "engine": {
        "MALLOC_MMAP_THRESHOLD_": str(256 << 10),
        # It reads one caller's page after another's: what is freed is overwritten at once.
        "MALLOC_PERTURB_": "165",
    },
    "zygote": {
        "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
        # A decoder's memory lasts one page: taken in huge pages, it costs a tenth of the faults.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    },
}
_OURS = {"NotAlone", "SelfTestFailed"}  # exceptions of ours that end a process
# Ends that come from outside: the operator, the kernel short of memory, or we ourselves.
_FROM_OUTSIDE = {0, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}


class Process:
    """A running process and the channel to it.

    `on_message` gets what it says; `on_end` is called once, when it is gone.
    """

    def __init__(
        self,
        module: str,
        *,
        on_message: Callable[[Message], None],
        on_end: Callable[[], None],
    ) -> None:
        """Start a module of bootstrap.MODULES; needs a running event loop. Raises ReaderDied."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        with theirs:
            try:
                self._process = _start(module, theirs.fileno())
            except OSError as error:
                ours.close()
                raise ReaderDied(f"the {module} did not start: {error}") from error
        self.module = module
        self._on_message = on_message
        self._on_end = on_end
        self._channel = Channel(ours)
        self._last_words = ""
        self._killed = False
        self._raised = False
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
    def crashed(self) -> bool:
        """Whether it ended by itself, by a fault of its own; known once it is gone."""
        from_outside = self._process.returncode in _FROM_OUTSIDE and not self._raised
        return not self._killed and not from_outside

    @property
    def cause(self) -> str:
        """How it ended, for the log; known once it is gone."""
        return self._last_words or how(self._process.returncode or 0)

    def send(self, message: Message, *descriptors: int) -> None:
        """Send a message; a process that does not take it is ended."""
        try:
            self._channel.send(message, *descriptors)
        except OSError:
            self._leave()

    def kill(self, why: str = "") -> None:
        """End the process now; `on_end` follows."""
        if self.alive:
            self._killed = True
            self._last_words = why or self._last_words
            self._leave()

    async def aclose(self) -> None:
        """End the process and wait until it is gone."""
        self.kill()
        await asyncio.shield(self._ended)

    def _leave(self) -> None:
        """Talk to it no more, and see that it ends."""
        self.alive = False
        self._loop.remove_reader(self._channel.fileno())
        # Through the descriptor, not the number: a number may belong to another by now.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _receive(self) -> None:
        """Take one message off the channel."""
        try:
            message, _ = self._channel.receive()
        except BlockingIOError:
            return
        except (EOFError, OSError):  # it is ending; _reap will know how
            self._leave()
        except ChannelError as error:
            self.kill(str(error))
        else:
            if "died" in message:
                self._raised = True
                self._last_words = place_of(message["died"])
            else:
                self._on_message(message)

    def _reap(self) -> None:
        """Collect the ended process, so that it does not stay a zombie."""
        self._loop.remove_reader(self._pidfd)
        self._process.wait()
        for _ in range(2):  # what it said last may still be in the channel
            if self.alive:
                self._receive()
        if self.alive:
            self._leave()
        self._channel.close()
        os.close(self._pidfd)
        self._ended.set_result(None)
        self._on_end()


def retrieve(answer: asyncio.Future[Any]) -> None:
    """Look at what came for an asker that may have left: asyncio complains otherwise."""
    if not answer.cancelled():
        answer.exception()


def place_of(told: object) -> str:
    """Return what a process says an exception was, as far as it cannot be a caller's text.

    Whoever has taken a process over chooses these words, and they are for the log.
    """
    match = re.fullmatch(r"(\w{1,40}) at (\w{1,40}\.py):(\d{1,5})", str(told), re.ASCII)
    if match is None:
        return "an exception in a library"
    kind, file, line = match.groups()
    known = kind in _OURS or isinstance(getattr(builtins, kind, None), type)
    place = f"{file}:{line}" if any((_PROJECT / "model").rglob(file)) else "a library"
    return f"{kind if known else 'an exception'} at {place}"


def how(status: int) -> str:
    """Return what an exit status means: a signal's name, or the number."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}: a forbidden system call" if name == "SIGSYS" else name


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
        env=_environment(module),
        pass_fds=[descriptor],
        start_new_session=True,
    )


def _environment(module: str) -> dict[str, str]:
    """Return the few variables a process needs: secrets in ours are not for it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        # onnxruntime's Linux wheels report home and leave files there unless told before import.
        "ORT_DISABLE_TELEMETRY": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **_ALLOCATOR[module],
    }
