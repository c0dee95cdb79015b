"""Hosts in network namespaces on one bridge, for tests and benches that need several machines.

    with Lab(directory) as lab:
        host = lab.host("a", cpu=0.5)
        process = host.popen(["redis-server", "--bind", host.address])

Needs root, iproute2 and util-linux. The hosts reach each other and the caller, nothing else. What
a killed run has left behind is removed when the next one starts.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from bench.cpu_share import CpuShare
from bench.lab_names import NAMESPACES, claim_number, ip, remove_host, remove_lab, remove_stale

HOSTS = 99
PATIENCE_S = 5


class Host:
    """A network namespace with an address on the lab's bridge; made by `Lab.host`."""

    def __init__(self, lab: "Lab", name: str, number: int, share: CpuShare) -> None:
        self.name, self.address = name, f"{lab.network[number + 1]}"
        self.namespace, self._link = f"{lab.name}-{name}", f"{lab.name}-{number}"
        self._processes: list[subprocess.Popen[Any]] = []
        self.share = share
        ip("netns", "add", self.namespace)
        ip("link", "add", self._link, "type", "veth",
            "peer", "name", "eth0", "netns", self.namespace)  # fmt: skip
        ip("link", "set", self._link, "master", lab.name, "up")
        inside = [f"addr add {self.address}/{lab.network.prefixlen} dev eth0",
                  "link set eth0 up", "link set lo up"]  # fmt: skip
        ip("-n", self.namespace, "-batch", "-", lines=inside)

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
        inside = {int(pid) for pid in ip("netns", "pids", self.namespace).split()}
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
        ip("link", "set", self._link, "down")

    def join(self) -> None:
        """Take the link up again."""
        ip("link", "set", self._link, "up")

    def remove(self) -> None:
        """Kill every process, and remove the namespace and the cgroups."""
        self.kill()
        for process in self._processes:
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        remove_host(self.namespace)


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
        self._claim, self.name, self.network = claim_number()
        self.address = f"{self.network[1]}"
        try:
            ip("link", "add", self.name, "type", "bridge")
            ip("addr", "add", f"{self.address}/{self.network.prefixlen}", "dev", self.name)
            ip("link", "set", self.name, "up")
        except OSError:
            self._claim.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
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
