"""Whether the process may open as many files as its connections and requests need."""

import os
import resource

from service.start_refused import StartRefused
from settings import Settings

OTHERS = 64  # listening sockets, the log, redis, certificates while they are read
PER_REQUEST = 4  # its uploads, and the files and pipes of the page that is being read


class TooFewDescriptors(StartRefused):
    """The system allows the process fewer descriptors than the settings need."""

    locs = (("tls", "max_connections"),)
    subject = ""  # the message begins with the key


def allow_descriptors(settings: Settings) -> None:
    """Raise the soft limit on open files (RLIMIT_NOFILE) to what the settings need.

    Raises:
        TooFewDescriptors: the hard limit is lower.

    """
    needed = needed_descriptors(settings)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _allows(soft, needed):
        return
    if not _allows(hard, needed):
        connections = settings.tls.max_connections
        raise TooFewDescriptors(
            f"[tls] max_connections = {connections} needs {needed} open files in all, and the "
            f"system allows this process {hard}: {_lower(connections - needed + hard)}allow more "
            f"(systemd: LimitNOFILE={needed}; containers: --ulimit nofile={needed}; "
            f"as root: ulimit -n {needed})"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def needed_descriptors(settings: Settings) -> int:
    """Return how many descriptors this process may need at the same time."""
    engine = settings.engine
    processes = os.cpu_count() or 1 if engine.processes == "auto" else engine.processes
    requests = processes + engine.decoders + engine.max_waiting
    return settings.tls.max_connections + PER_REQUEST * requests + OTHERS


def _lower(connections: int) -> str:
    return f"set it to at most {connections}, or " if connections > 0 else ""


def _allows(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
