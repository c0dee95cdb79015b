"""A cluster on hosts of a lab: its certificates, its scheduler, and workers that are started again.

Each worker has a hook of the test's: a page takes a while, and one kind of page ends its worker.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.lab import Host, Lab
from tests.measuring import measuring
from tls.cluster import make_cluster_ca, make_cluster_certificate

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 150
PORT, WORKER_PORT = 8786, 8787
POISON = b"ends its worker"
# `sitecustomize` is imported by each process that has it in its path: of a cluster the workers and
# the scheduler, not the processes that they start, whose environment is clean.
HOOK = f"""
import asyncio, os
from cluster import page_task

_page = page_task.PageTasks._page

async def hooked(self, request, upload):
    with open({{log!r}}, "a") as log:
        print(request["sha256"], request["ranges"][0][0], request["alone"], file=log)
    if {POISON!r} in upload and request["ranges"][0][0] == 2:
        os._exit(9)
    await asyncio.sleep(0.2)
    return await _page(self, request, upload)

page_task.PageTasks._page = hooked
"""


def wait_for(state: Callable[[], object]) -> None:
    """Wait until something is so."""
    due = time.monotonic() + PATIENCE_S
    while not state():
        assert time.monotonic() < due
        time.sleep(0.02)


class Nodes:
    """Three hosts; the scheduler is on the first."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.directory = directory
        self.tls = directory / "tls"
        self.begun = directory / "begun"
        self.hosts = [lab.host(name) for name in "abc"]
        self.address = f"tls://{self.hosts[0].address}:{PORT}"
        make_cluster_ca(self.tls)
        make_cluster_certificate(self.tls, "node", node=True)
        make_cluster_certificate(self.tls, "client", node=False)
        settings = (ROOT / "settings.toml").read_text("utf-8").replace("tls/cluster", "tls")
        (directory / "settings.toml").write_text(settings, encoding="utf-8")
        hook = directory / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK.format(log=str(self.begun)), encoding="utf-8")
        self._log = (directory / "cluster.log").open("ab")

    @property
    def log(self) -> str:
        """What the scheduler and the workers have said."""
        return (self.directory / "cluster.log").read_text("utf-8")

    def scheduler(self) -> "subprocess.Popen[bytes]":
        """Start the scheduler."""
        return self._start(self.hosts[0], [sys.executable, "-m", "cluster", "scheduler"])

    def worker(self, host: Host) -> "subprocess.Popen[bytes]":
        """Start a worker, and another one whenever it ends, as systemd does."""
        program = f"while :; do {sys.executable} -m cluster worker; sleep 0.1; done"
        return self._start(host, ["sh", "-c", program])

    def options(self) -> list[str]:
        """Return the options of a client."""
        files = {"--ca": "ca.pem", "--certificate": "client.pem", "--certificate-key": "client.key"}
        pairs = [(option, str(self.tls / name)) for option, name in files.items()]
        return ["--cluster", self.address, *(word for pair in pairs for word in pair)]

    def client(self, *arguments: str | Path) -> "subprocess.Popen[bytes]":
        """Start scripts/ocr on the lab's own end."""
        return subprocess.Popen(
            [sys.executable, "-m", "sealed_ocr_client", *arguments, *self.options()],
            env=self._environment(ROOT / "client"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def _start(self, host: Host, command: list[str]) -> "subprocess.Popen[bytes]":
        variables = self._environment(self.directory / "hook", ROOT, ROOT / "client") | {
            "OCR_SETTINGS": str(self.directory / "settings.toml"),
            "OCR_CLUSTER__SCHEDULER": self.address,
            "OCR_CLUSTER__NODE": f"tls://{host.address}:{WORKER_PORT}",
            "OCR_ENGINE__PROCESSES": "1",
            "OCR_ENGINE__THREADS": "1",
        }
        return host.popen(command, env=variables, cwd=ROOT, stdout=self._log, stderr=self._log)

    def _environment(self, *path: Path) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONDONTWRITEBYTECODE": "1",
            **measuring(),
        }
