"""A second signal with `workers` above 0, which ends the drain: Hypercorn notes only the first."""

import multiprocessing
import os
import signal
import socket
import threading
from contextlib import suppress

ENDING = {signal.SIGTERM, signal.SIGINT}


def forward_second_signal() -> None:
    """From the second signal on, send each to the worker processes as SIGINT, as Ctrl+C would.

    Python writes the number of each signal to a descriptor, whatever handles it. Call it in the
    process that is to be Hypercorn's supervisor.
    """
    near, far = socket.socketpair()
    far.setblocking(False)  # noqa: FBT003 - socket's signature
    signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_forward, args=(near, far), daemon=True).start()


def _forward(near: socket.socket, _open: socket.socket) -> None:
    received = 0
    while numbers := near.recv(64):
        received += sum(number in ENDING for number in numbers)
        if received > 1:
            for worker in multiprocessing.active_children():
                if worker.pid is not None:
                    with suppress(ProcessLookupError):
                        os.kill(worker.pid, signal.SIGINT)
