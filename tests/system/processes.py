"""Which processes a service has."""

import time
from pathlib import Path

from bench.processes import cpu_s
from tests.model.processes import children_of
from tests.system.service import PATIENCE_S, Service

_CAP_SYS_PTRACE = 19
READING_S = 0.05


def pids_of(service: Service, module: str) -> set[int]:
    """Return the ids of the processes that run `model.<module>`, those that start included."""
    return {pid for pid in children_of(service.process.pid) if module in _command(pid)}


def decoders_of(service: Service) -> set[int]:
    """Return the ids of the processes that decode a page now."""
    return {child for zygote in pids_of(service, "zygote") for child in children_of(zygote)}


def reading_engines(service: Service) -> set[int]:
    """Return the ids of the engines that hold a page now; needs `may_look`."""
    return {pid for pid in pids_of(service, "engine") if "/memfd:pixels" in _held(pid)}


def engine_seconds(service: Service) -> float:
    """Return the processor seconds that the engines have used; it stands still between pages."""
    return cpu_s(pids_of(service, "engine"))


def wait_until_reading(service: Service, before_s: float) -> None:
    """Wait until the engines have used more processor time than `before_s`: they read a page."""
    due = time.monotonic() + PATIENCE_S
    while engine_seconds(service) < before_s + READING_S:
        assert time.monotonic() < due, "no engine reads"
        time.sleep(0.005)


def may_look() -> bool:
    """Tell whether we may look into processes that locked up: it takes CAP_SYS_PTRACE."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return bool(effective >> _CAP_SYS_PTRACE & 1)


def _held(pid: int) -> str:
    """Return what a process has open; nothing where it is gone."""
    try:
        return " ".join(str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _command(pid: int) -> list[str]:
    """Return a process's arguments; none where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
