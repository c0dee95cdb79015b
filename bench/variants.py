"""The variants that are compared, and the processes that send requests to them."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from bench.peers import Peer
from bench.processes import cpu_s, peak_mb, stop, tree
from bench.servers import ROOT, Server, launch_nginx, launch_ours

Json = dict[str, Any]

CRNN, SMALL = "sealed-crnn-v2", "ppocrv6-small"
TITLES = {
    "ours": "ours, sealed (HTTPS, h2, key, limits)",
    "nginx-tls": "nginx (TLS, h2) -> ours over TLS",
    "nginx-plain": "nginx (TLS, h2) -> ours over plain HTTP (bench only)",
    "in-process": "our pipeline in-process, no HTTP",
    "rapidocr": "rapidocr_api 0.2.0 + rapidocr 3.10.0, plain HTTP",
    "rapidocr-onnxruntime": "rapidocr-onnxruntime 1.4.4, plain HTTP",
    "tesseract": "tesseract, a process a request, plain HTTP",
}


def title_of(name: str, note: str) -> str:
    """Return how a table names a variant, or a peer whose name may end in ":" and its kind."""
    return TITLES[name.partition(":")[0]] + (f", {note}" if note else "")


class Driver:
    """A process that answers JSON lines: the load generator, or the pipeline itself."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, job: Json) -> Json:
        """Return the answer. Raises ValueError where the process has ended instead."""
        if self.process.stdin is None or self.process.stdout is None:
            raise ValueError("the driver has no pipes")
        self.process.stdin.write(json.dumps(job).encode() + b"\n")
        self.process.stdin.flush()
        answer: Json = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        stop(self.process)


@dataclass
class Variant:
    """One way to have an image read."""

    name: str
    recogniser: str
    driver: Driver
    job: Json
    roots: Sequence[int]
    web: Sequence[int]
    """The roots and the processes that carry requests but read nothing."""
    ended_mb: Callable[[], float] = float
    """What processes took that have ended: none, but where a peer starts some for each request."""

    @property
    def title(self) -> str:
        """How a table names it."""
        return title_of(self.name, self.recogniser)

    def ask(self, images: Sequence[str], concurrency: int) -> Json:
        """Have the images read; also return the processor seconds of the web processes."""
        before = cpu_s(self.web)
        answer = self.driver.ask({**self.job, "images": list(images), "concurrency": concurrency})
        bad = [result["status"] for result in answer["results"] if result["status"] != 200]  # noqa: PLR2004
        if bad:
            raise ValueError(f"{self.title} answered {bad}")
        return {**answer, "web_cpu_s": cpu_s(self.web) - before}

    @property
    def peak_mb(self) -> float:
        """The sum of the peaks of its processes."""
        return peak_mb(self.roots) + self.ended_mb()


class Field:
    """Starts the variants that were asked for; a context manager that ends them."""

    def __init__(self, peers: Mapping[str, Peer]) -> None:
        self._peers = peers
        self._stack = contextlib.ExitStack()
        self._load: Driver | None = None
        self._servers: dict[str, Server] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def variant(self, name: str) -> Variant:
        """Start `name`, which may end in ":" and a recogniser, or is a peer."""
        kind, _, recogniser = name.partition(":")
        if peer := self._peers.get(name):
            server = self._stack.enter_context(peer.launch())
            return self._asked_by_load(kind, peer.note, server, [server.process.pid], [])
        recogniser = recogniser or CRNN
        if kind == "in-process":
            driver = Driver("bench.inprocess", recogniser)
            self._stack.callback(driver.close)
            pid = driver.process.pid
            return Variant(kind, recogniser, driver, {}, [pid], [pid])
        service = self._service(kind, recogniser)
        roots = web = [service.process.pid]
        if kind == "ours":
            return self._asked_by_load(kind, recogniser, service, roots, web)
        nginx = self._stack.enter_context(launch_nginx(service, plain=kind == "nginx-plain"))
        roots = [*roots, nginx.process.pid]
        web = [*web, *tree(nginx.process.pid)]
        return self._asked_by_load(kind, recogniser, nginx, roots, web)

    def _service(self, kind: str, recogniser: str) -> Server:
        """Return the service with a recogniser; nginx over TLS stands before the very same one."""
        app = "bench.plain_app:app" if kind == "nginx-plain" else "app:app"
        key = f"{app} {recogniser}"
        if key not in self._servers:
            self._servers[key] = self._stack.enter_context(launch_ours(recogniser, app=app))
        return self._servers[key]

    def _asked_by_load(
        self, kind: str, recogniser: str, server: Server, roots: Sequence[int], web: Sequence[int]
    ) -> Variant:
        if self._load is None:
            self._load = Driver("bench.load")
            self._stack.callback(self._load.close)
        return Variant(kind, recogniser, self._load, server.job, roots, web, server.ended_mb)
