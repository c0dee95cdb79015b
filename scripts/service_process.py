"""The service as a child process: it gets the launcher's signals and ends with the launcher."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from model.sandbox import kernel

STDERR = 2


def child(parent: int) -> Callable[[], None]:
    """Return what a child of the process `parent` does before it becomes another program.

    The kernel sends it SIGTERM when the parent ends, also by SIGKILL. It ignores SIGINT, which a
    terminal sends to both: the parent forwards it as SIGTERM, without a traceback of what the child
    is importing.
    """

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


class ServiceProcess:
    """Starts the service; SIGINT, SIGTERM and SIGHUP of this process are forwarded to it.

    A terminal that closes sends SIGHUP, on which the service would reload and keep running unseen:
    it gets SIGTERM instead, unless this process runs under nohup, which ignores SIGHUP.
    """

    def __init__(self, command: Sequence[str | Path], *, stopping: str) -> None:
        self._stopping = stopping
        self.told_to_stop = False
        ends_with_terminal = (
            has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.Handlers.SIG_IGN
        )
        self._forwarded = {
            signal.SIGINT: signal.SIGTERM,
            signal.SIGTERM: signal.SIGTERM,
            signal.SIGHUP: signal.SIGTERM if ends_with_terminal else signal.SIGHUP,
        }
        # A signal before the child exists is delivered once it does.
        signal.pthread_sigmask(signal.SIG_BLOCK, self._forwarded)
        self.process = subprocess.Popen(command, preexec_fn=self._prepare(os.getpid()))  # noqa: PLW1509 - one thread
        for number in self._forwarded:
            signal.signal(number, self._forward)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._forwarded)

    def _prepare(self, parent: int) -> Callable[[], None]:
        prepare = child(parent)

        def unblock_and_prepare() -> None:
            prepare()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._forwarded)

        return unblock_and_prepare

    def _forward(self, received: int, _frame: object) -> None:
        number = self._forwarded[signal.Signals(received)]
        if number == signal.SIGTERM and not self.told_to_stop:
            say(self._stopping)
            self.told_to_stop = True
        self.process.send_signal(number)

    def stop(self) -> int:
        """Stop it; return its exit status."""
        self.told_to_stop = True
        self.process.terminate()  # nothing, where it has ended
        return self.wait()

    def wait(self) -> int:
        """Return its exit status: 0 where it was told to stop, 128 + N where signal N ended it."""
        status = self.process.wait()
        if status >= 0:
            return status
        # SIGTERM ends it before it has a handler, in the first half second.
        if self.told_to_stop and -status == signal.SIGTERM:
            return 0
        if -status == signal.SIGUSR1:  # server/respawn.py, which has logged why
            say("The service has ended: a serving process could not go on.\n")
        else:
            say(f"The service was ended by {signal.Signals(-status).name}.\n")
        return 128 - status


def say(text: str) -> None:
    """Write to standard error; a terminal that has been closed stops nothing."""
    with suppress(OSError):
        os.write(STDERR, text.encode())


def has_terminal() -> bool:
    """Return whether there is a controlling terminal, even if input and output are redirected."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
