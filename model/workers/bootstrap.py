"""What a process that reads does first: tie its life to its parent's, then do one module's work.

Started as `python -I -c "..." PROJECT MODULE DESCRIPTOR PARENT` by `model.workers.process`.
"""

import importlib
import socket
import sys
from pathlib import Path
from types import TracebackType

from model.sandbox.lock import die_with
from model.workers.channel import Channel

MODULES = {"engine": "model.vision.engine", "zygote": "model.decoding.zygote"}
_DESCRIPTORS = 3  # the most that come with a message: an upload, room for its pixels, an answer


def main() -> None:
    """Serve the module that the command line names until the parent closes the channel."""
    module, descriptor, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    die_with(parent)
    channel = Channel(socket.socket(fileno=descriptor), descriptors=_DESCRIPTORS)
    sys.excepthook = _teller(channel)
    importlib.import_module(MODULES[module]).serve(channel)


def where(error: BaseException) -> str:
    """Return an exception's class and line; its own text may quote an image."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = Path(trace.tb_frame.f_code.co_filename).name
    return f"{type(error).__name__} at {file}:{trace.tb_lineno}"


def _teller(channel: Channel):  # type: ignore[no-untyped-def] # noqa: ANN202 - sys.excepthook's
    """Return an excepthook that tells the parent where the process died, and nothing it read."""

    def tell(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        channel.send({"died": where(error)})

    return tell
