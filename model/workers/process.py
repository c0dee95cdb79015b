"""The parent's handle on a child process: start it, exchange messages, learn how it exited.

Everything here runs in the event loop's thread.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from model.errors import ReaderDied
from model.workers.channel import Channel, ChannelError, Message
from model.workers.crash import checked_report, describe_exit
from model.workers.launcher import Launcher
from model.workers.resident_memory import ResidentMemory

# Exit statuses whose cause is outside: the operator, the kernel out of memory, or our own kill.
_FROM_OUTSIDE = {0, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}


class Process:
    """A child process and the channel to it.

    `on_message` is called with each message; `on_exit` once, when the process has exited.
    """

    def __init__(
        self,
        launcher: Launcher,
        module: str,
        *,
        on_message: Callable[[Message], None],
        on_exit: Callable[[], None],
    ) -> None:
        """Start a module of bootstrap.MODULES; needs a running event loop.

        Raises:
            ReaderDied: the process could not be started.

        """
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:  # no descriptors left
            raise ReaderDied(f"the {module} did not start: {error}") from error
        ours.settimeout(0)
        with theirs:
            try:
                self._process = launcher.start(module, theirs.fileno())
            except OSError as error:
                ours.close()
                raise ReaderDied(f"the {module} did not start: {error}") from error
        self.memory = ResidentMemory(self._process.pid)
        self.module = module
        self._on_message = on_message
        self._on_exit = on_exit
        self._channel = Channel(ours, max_descriptors=0)
        self._cause = ""
        self._killed = False
        self._reported_crash = False
        self._loop = asyncio.get_running_loop()
        self._exited: asyncio.Future[None] = self._loop.create_future()
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
        """Whether it exited through a fault of its own; known once it has exited."""
        from_outside = self._process.returncode in _FROM_OUTSIDE and not self._reported_crash
        return not self._killed and not from_outside

    @property
    def cause(self) -> str:
        """Why it exited, for the log; known once it has exited."""
        return self._cause or describe_exit(self._process.returncode or 0)

    def send(self, message: Message, *descriptors: int) -> None:
        """Send a message; a process that can't receive it is killed."""
        try:
            self._channel.send(message, *descriptors)
        except OSError:
            self._stop()

    def kill(self, cause: str = "") -> None:
        """Kill the process; `on_exit` follows."""
        if self.alive:
            self._killed = True
            self._cause = cause or self._cause
            self._stop()

    def pause(self) -> None:
        """Stop the process where it is; nothing that it does can prevent this."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the process go on."""
        self._signal(signal.SIGCONT)

    async def aclose(self) -> None:
        """Kill the process and wait until it has exited."""
        self.kill()
        await asyncio.shield(self._exited)

    def _stop(self) -> None:
        """Stop reading from the process and kill it."""
        self.alive = False
        self._loop.remove_reader(self._channel.fileno())
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        # By descriptor, not by pid: the pid may have been given to another process by now.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def _receive(self) -> None:
        """Receive one message from the channel."""
        try:
            message, _ = self._channel.receive()
        except BlockingIOError:
            return
        except (EOFError, OSError):  # it is exiting; _reap learns the status
            self._stop()
        except ChannelError as error:
            self.kill(str(error))
        else:
            if "crash" in message:
                self._reported_crash = True
                self._cause = checked_report(message["crash"])
            else:
                self._on_message(message)

    def _reap(self) -> None:
        """Collect the exit status, so that the process does not stay a zombie."""
        self._loop.remove_reader(self._pidfd)
        self._process.wait()
        for _ in range(2):  # its last messages may still be in the channel
            if self.alive:
                self._receive()
        if self.alive:
            self._stop()
        self._channel.close()
        os.close(self._pidfd)
        self.memory.close()
        self._exited.set_result(None)
        self._on_exit()


def mark_retrieved(response: asyncio.Future[Any]) -> None:
    """Retrieve a future's exception: asyncio logs it when its caller has been cancelled."""
    if not response.cancelled():
        response.exception()
