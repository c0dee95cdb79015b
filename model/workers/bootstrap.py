"""The file that every child process runs first: `python -I bootstrap.py MODULE DESCRIPTOR PARENT`.

-I (isolated mode) keeps the environment out of the interpreter: PYTHONPATH and the other PYTHON*
variables, the user's site-packages and the current folder can't replace a module. It also leaves
out this file's own folder, so the project's root is put on the search path here.
"""

import importlib
import socket
import sys
from pathlib import Path
from types import TracebackType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.sandbox.lock import die_with_parent
from model.workers.channel import Channel
from model.workers.crash import crash_report

MODULES = {"engine": "model.vision.engine", "zygote": "model.decoding.zygote"}
_MAX_DESCRIPTORS = 3  # with one message: upload, pixel buffer, and the pipe for the response


def main() -> None:
    """Run the module that the command line names until the parent closes the channel."""
    module, descriptor, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    die_with_parent(parent)
    channel = Channel(socket.socket(fileno=descriptor), max_descriptors=_MAX_DESCRIPTORS)
    sys.excepthook = _crash_reporter(channel)
    importlib.import_module(MODULES[module]).serve(channel)


def _crash_reporter(channel: Channel):  # type: ignore[no-untyped-def] # noqa: ANN202 - sys.excepthook's
    """Return an excepthook that sends the parent the place of the exception, and no data."""

    def report(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        channel.send({"crash": crash_report(error)})

    return report


if __name__ == "__main__":
    main()
