"""The cluster of scripts/cluster on the nodes of bench/lab_nodes.py."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.lab import Host
from bench.lab_nodes import ONE_ENGINE, ROOT, Nodes

if TYPE_CHECKING:
    from distributed import Security

SCHEDULER_PORT, WORKER_PORT = 8786, 8787
COMMAND = ROOT / "scripts" / "cluster"
PATIENCE_S = 60


class Cluster:
    """A scheduler beside nginx, and as many workers as are wanted, the first nodes' first."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._folder = nodes.site.lab.directory / "cluster"
        self._folder.mkdir()
        make = [f"{COMMAND}", "ca", "--directory", f"{self._folder}"]
        subprocess.run(make, check=True, capture_output=True)
        self._certify("scheduler", "--node")
        self._certify("client", "--client")
        self._scheduler = self._start(nodes.balancer, "scheduler", {})
        self._workers: dict[int, subprocess.Popen[Any]] = {}

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        return f"tls://{self._nodes.balancer.address}:{SCHEDULER_PORT}"

    @property
    def options(self) -> list[str]:
        """The options of scripts/ocr."""
        return ["--cluster", self.address, "--ca", f"{self._folder}/ca.pem",
                "--certificate", f"{self._folder}/client.pem",
                "--certificate-key", f"{self._folder}/client.key"]  # fmt: skip

    @property
    def scheduler_pid(self) -> int:
        """The scheduler's process."""
        return self._scheduler.pid

    def security(self) -> "Security":
        """Return the client's certificate, as distributed takes it."""
        from distributed import Security  # noqa: PLC0415 - optional

        return Security(  # type: ignore[no-untyped-call]
            require_encryption=True,
            tls_ca_file=f"{self._folder}/ca.pem",
            tls_client_cert=f"{self._folder}/client.pem",
            tls_client_key=f"{self._folder}/client.key",
        )

    def have(self, number: int) -> bool:
        """Run this many workers; return whether one had to be started."""
        started = False
        for each in list(self._workers):
            if each >= number:
                self.forget(each)
        for each in range(number):
            worker = self._workers.get(each)
            if worker is None or worker.poll() is not None:  # its host was killed
                started = True
                host = self._nodes.services[each].host
                self._certify(host.name, "--node")
                node = {"OCR_CLUSTER__NODE": f"tls://{host.address}:{WORKER_PORT}"}
                self._workers[each] = self._start(host, host.name, node)
        return started

    def forget(self, number: int) -> None:
        """Stop a worker, if it runs."""
        worker = self._workers.pop(number, None)
        if worker is not None:
            worker.terminate()
            worker.wait(PATIENCE_S)

    def stop(self) -> None:
        """Stop all of it."""
        self.have(0)
        self._scheduler.terminate()
        self._scheduler.wait(PATIENCE_S)

    def _certify(self, name: str, kind: str) -> None:
        if not (self._folder / f"{name}.pem").exists():
            words = [f"{COMMAND}", "certificate", name, kind, "--directory", f"{self._folder}"]
            subprocess.run(words, check=True, capture_output=True)

    def _start(
        self, host: Host, name: str, variables: Mapping[str, str]
    ) -> "subprocess.Popen[Any]":
        """Start the scheduler, or a worker, and wait until it is ready.

        Raises:
            RuntimeError: it did not start.

        """
        role = "scheduler" if name == "scheduler" else "worker"
        environment = {"PATH": os.environ["PATH"], "HOME": f"{self._folder}", **ONE_ENGINE,
                       "OCR_CLUSTER__SCHEDULER": self.address,
                       "OCR_CLUSTER__CA": f"{self._folder}/ca.pem",
                       "OCR_CLUSTER__CERTIFICATE": f"{self._folder}/{name}.pem",
                       "OCR_CLUSTER__KEY": f"{self._folder}/{name}.key", **variables}  # fmt: skip
        log = _free(self._folder, name)
        with log.open("wb") as stream:
            process = host.popen([COMMAND, role], env=environment, cwd=ROOT,
                                 stdout=stream, stderr=stream)  # fmt: skip
        ready = "listening on" if role == "scheduler" else "connected to"
        due = time.monotonic() + PATIENCE_S
        while ready not in log.read_text("utf-8"):
            if process.poll() is not None or time.monotonic() > due:
                raise RuntimeError(f"{role} did not start:\n{log.read_text('utf-8')}")
            time.sleep(0.02)
        return process


@contextmanager
def cluster(nodes: Nodes) -> Iterator[Cluster]:
    """Run a cluster on the nodes; workers are started by `have`."""
    made = Cluster(nodes)
    try:
        yield made
    finally:
        made.stop()


def _free(folder: Path, name: str) -> Path:
    return folder / f"{name}{len(list(folder.glob(f'{name}*.log')))}.log"
