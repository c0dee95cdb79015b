"""Memory and processor time of a process and its descendants, read from /proc; start and stop."""

import socket
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

PROC = Path("/proc")
MB = 1_000_000
# Below those that Linux gives to connections and to sockets without a port of their own.
PORTS = range(20_000, 32_768)


class NotListening(Exception):
    """A server ended, or took too long, before its port opened."""


def tree(pid: int) -> list[int]:
    """Return `pid` and its living descendants."""
    parents: dict[int, list[int]] = {}
    for status in PROC.glob("[0-9]*/stat"):
        try:
            after_name = status.read_text("utf-8").rpartition(")")[2]
        except OSError:  # a process that has just ended
            continue
        parents.setdefault(int(after_name.split()[1]), []).append(int(status.parent.name))
    pids = [pid]
    for known in pids:  # grows while it is walked
        pids += parents.get(known, [])
    return pids


def rss_mb(pid: int, field: str = "VmRSS") -> float:
    """Return the resident memory of one process; with VmHWM, the most it ever was."""
    for line in (PROC / str(pid) / "status").read_text("utf-8").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024 / MB
    return 0.0


def peak_mb(roots: Iterable[int]) -> float:
    """Return the sum of the peaks of every process under `roots`: never less than the true peak."""
    return sum(rss_mb(pid, "VmHWM") for root in roots for pid in tree(root))


def cpu_s(pids: Iterable[int]) -> float:
    """Return the processor seconds that these processes' living threads have used."""
    total_ns = 0
    for pid in pids:
        for stat in (PROC / str(pid) / "task").glob("*/schedstat"):
            try:
                total_ns += int(stat.read_text("ascii").split()[0])
            except OSError:  # a thread that has just ended
                continue
    return total_ns / 1e9


def role(pid: int) -> str:
    """Return "zygote", "engine" or "web" for a process of the service."""
    arguments = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    return next((name for name in ("zygote", "engine") if name.encode() in arguments), "web")


def free_ports(count: int) -> list[int]:
    """Return ports that nothing is bound to, for programs that do not accept port 0.

    No connection of another program takes one before it is used, or while a server restarts.
    """
    ports: list[int] = []
    # The system's randomness: two test runs at the same time may have the same seed.
    for port in SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            ports.append(port)
        if len(ports) == count:
            break
    return ports


def free_port() -> int:
    """Return one of them."""
    return free_ports(1)[0]


def wait_until_listening(process: subprocess.Popen[bytes], port: int, patience_s: float) -> None:
    """Knock at the port until it opens. Raises NotListening."""
    due = time.monotonic() + patience_s
    while time.monotonic() < due:
        if process.poll() is not None:
            raise NotListening(f"{process.args!r} ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.005)
        else:
            return
    raise NotListening(f"{process.args!r} does not listen after {patience_s} s")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end; make it, where it does not within 40 s."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
