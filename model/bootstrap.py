"""What a child process does first: tie its life to its parent's, then serve one module's work.

Started as `python -I -c "..." PROJECT MODULE DESCRIPTOR PARENT` by `model.child`.
"""

import ctypes
import importlib
import os
import signal
import socket
import sys
from pathlib import Path
from types import TracebackType

from model.channel import Channel

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve the module that the command line names until the parent closes the channel."""
    module, descriptor, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    die_with(parent)
    channel = Channel(socket.socket(fileno=descriptor))
    sys.excepthook = _teller(channel)
    importlib.import_module(f"model.{module}").serve(channel)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, however that dies.

    Source: prctl(2), PR_SET_PDEATHSIG. A parent that died before the call is noticed by its pid.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def _teller(channel: Channel):  # type: ignore[no-untyped-def] # noqa: ANN202 - sys.excepthook's
    """Return an excepthook that tells the parent where the process died, and nothing it read.

    The exception's own text may quote an image; its class and line cannot.
    """

    def tell(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = ""
        if trace is not None:
            place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        channel.send({"died": f"{kind.__name__}{place}"})

    return tell
