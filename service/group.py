"""What names this service on this machine, among others that may run there."""

import multiprocessing
from contextlib import suppress
from pathlib import Path


def service_group() -> str:
    """Return what names this service on this machine: its supervisor, and when that started.

    Containers may share the network, and with it the names of sockets, but not the process ids.
    """
    supervisor = multiprocessing.parent_process()
    pid = supervisor.pid if supervisor is not None else None
    started = ""
    with suppress(OSError):
        started = (
            Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19]
        )
    return f"{pid}-{started}"
