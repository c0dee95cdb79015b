"""Hosts in network namespaces on one bridge, for tests and benches that need several machines.

    with Lab(directory) as lab:
        host = lab.host("a", cpu=0.5)
        process = host.popen(["redis-server", "--bind", host.address])

Needs root, iproute2 and util-linux. The hosts reach each other and the caller, nothing else. What
a killed run has left behind is removed when the next one starts.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Network, ip_network
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.cpu_share import CpuShare, groups, remove_group

PREFIX = "ocrlab"
NAMESPACES = Path("/run/netns")
LABS = 1 << 15  # networks 10.128.0.0/24 to 10.255.255.0/24
HOSTS = 99
PATIENCE_S = 5


class Host:
    """A network namespace with an address on the lab's bridge; made by `Lab.host`."""

    def __init__(self, lab: "Lab", name: str, number: int, share: CpuShare) -> None:
        self.name, self.address = name, f"{lab.network[number + 1]}"
        self.namespace, self._link = f"{lab.name}-{name}", f"{lab.name}-{number}"
        self._processes: list[subprocess.Popen[Any]] = []
        self.share = share
        _ip("netns", "add", self.namespace)
        _ip("link", "add", self._link, "type", "veth",
            "peer", "name", "eth0", "netns", self.namespace)  # fmt: skip
        _ip("link", "set", self._link, "master", lab.name, "up")
        inside = [f"addr add {self.address}/{lab.network.prefixlen} dev eth0",
                  "link set eth0 up", "link set lo up"]  # fmt: skip
        _ip("-n", self.namespace, "-batch", "-", lines=inside)

    @property
    def launcher(self) -> list[str]:
        """Return the start of a command line that runs the rest of it on this host.

        Each part replaces its process with the next: the process id stays the same.
        """
        return [*self.share.entrance, "nsenter", f"--net={NAMESPACES / self.namespace}", "--"]

    def popen(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        **options: Any,
    ) -> "subprocess.Popen[Any]":
        """Start a program on this host.

        Raises:
            FileNotFoundError: the program is not installed; `filename` is its name.

        """
        path = None if env is None else env.get("PATH", os.defpath)
        if shutil.which(command[0], path=path) is None:
            raise FileNotFoundError(2, "not installed", str(command[0]))
        process = subprocess.Popen([*self.launcher, *command], env=env, cwd=cwd, **options)
        self._processes.append(process)
        return process

    @property
    def cpu_s(self) -> float:
        """The processor seconds that this host has used, also by processes that have ended.

        Raises:
            NoControlGroup: nothing counts them on this machine.

        """
        return self.share.used_s

    @property
    def pids(self) -> set[int]:
        """The processes on this host, and those that are about to be there."""
        started = {process.pid for process in self._processes if process.poll() is None}
        inside = {int(pid) for pid in _ip("netns", "pids", self.namespace).split()}
        return started | inside | self.share.pids

    def kill(self) -> None:
        """Kill every process. Their connections are closed; `cut` first for a power failure."""
        self.share.uncap()
        due = time.monotonic() + PATIENCE_S
        while (pids := self.pids) and time.monotonic() < due:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
        self.share.recap()

    def cut(self) -> None:
        """Take the link down: packets are lost, and nobody is told."""
        _ip("link", "set", self._link, "down")

    def join(self) -> None:
        """Take the link up again."""
        _ip("link", "set", self._link, "up")

    def remove(self) -> None:
        """Kill every process, and remove the namespace and the cgroups."""
        self.kill()
        for process in self._processes:
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        _remove(self.namespace)


class Lab:
    """A bridge with hosts. `directory` is for what programs on them need.

    Attributes:
        address: the caller's own end of the bridge.
        hosts: by name.

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hosts: dict[str, Host] = {}

    def __enter__(self) -> Self:
        """Create the bridge.

        Raises:
            PermissionError: the caller is not root.
            FileNotFoundError: `ip` or `nsenter` is not installed.

        """
        for program in ("ip", "nsenter"):
            if shutil.which(program) is None:
                raise FileNotFoundError(2, "not installed", program)
        if os.geteuid() != 0:
            raise PermissionError("network namespaces need root")
        remove_stale()
        self._claim, self.name, self.network = _claim()
        self.address = f"{self.network[1]}"
        try:
            _ip("link", "add", self.name, "type", "bridge")
            _ip("addr", "add", f"{self.address}/{self.network.prefixlen}", "dev", self.name)
            _ip("link", "set", self.name, "up")
        except OSError:
            self._claim.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            for host in self.hosts.values():
                host.remove()
        finally:
            remove_lab(self.name)
            self._claim.close()

    def host(self, name: str, *, cpu: float | None = None, first: bool = False) -> Host:
        """Add a host; `cpu` caps it at that many cores (0.5: half of one).

        With `first` it gets them before all other programs of the machine: for benches.

        Raises:
            NoControlGroup: the host cannot be capped on this machine.
            ValueError: there is a host of this name.

        """
        if name in self.hosts or len(self.hosts) == HOSTS:
            raise ValueError(f"there is a host {name!r}, or there are {HOSTS}")
        share = CpuShare(f"{self.name}-{name}", cpu, first=first)
        self.hosts[name] = host = Host(self, name, len(self.hosts) + 1, share)
        return host


def _ip(*words: str, lines: Sequence[str] = ()) -> str:
    done = subprocess.run(
        ["ip", *words], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _links() -> list[str]:
    return [each["ifname"] for each in json.loads(_ip("-j", "link"))]


def _claim() -> tuple[socket.socket, str, IPv4Network]:
    """Take a number that no other lab has, and whose network is not routed here.

    It is held by a socket in the abstract namespace, which the kernel frees when the process ends.
    """
    routes = [ip_network(each["dst"]) for each in json.loads(_ip("-j", "-4", "route"))
              if each["dst"] != "default"]  # fmt: skip
    for number in chain(range(os.getpid() % LABS, LABS), range(LABS)):
        network = IPv4Network(((10 << 24) + (1 << 23) + (number << 8), 24))
        if any(network.overlaps(route) for route in routes):
            continue
        claim = _held(f"{PREFIX}-{number}")
        if claim is not None:
            return claim, f"{PREFIX}-{number}", network
    raise OSError("every network of labs is taken")


def _held(name: str) -> socket.socket | None:
    """Take a name; return None where another process has it."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0{name}")
    except OSError:
        claim.close()
        return None
    return claim


def remove_stale() -> None:
    """Remove the labs whose processes were killed."""
    names = [*_links(), *(each.name for each in NAMESPACES.glob(f"{PREFIX}-*"))]
    names += [each.name for each in groups(f"{PREFIX}-")]
    for lab in {"-".join(name.split("-")[:2]) for name in names if name.startswith(f"{PREFIX}-")}:
        claim = _held(lab)
        if claim is not None:
            remove_lab(lab)
            claim.close()


def remove_lab(name: str) -> None:
    """Remove a lab's hosts with their processes, and its bridge."""
    for namespace in NAMESPACES.glob(f"{name}-*"):
        _remove(namespace.name)
    for group in groups(f"{name}-"):
        remove_group(group)
    for link in _links():  # a namespace takes its link along, but some time later
        if link == name or link.startswith(f"{name}-"):
            with suppress(OSError):
                _ip("link", "del", link)


def _remove(namespace: str) -> None:
    """Remove one host: its processes, its namespace (and with it its link), its cgroups."""
    with suppress(OSError):
        for pid in _ip("netns", "pids", namespace).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        _ip("netns", "del", namespace)
    for group in groups(namespace):
        if group.name == namespace:
            remove_group(group)
