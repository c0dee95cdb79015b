"""Measures what surrounds a reading: `python bench/envelope.py [--before DIR] [--rounds N]`.

Processor time of the web process for GET /healthz, for a POST /ocr that is refused after key,
limits and parameters, and for a JSON answer with its reading; the client's clock less the reader's
for that answer; and the processor time of importing the service. With `--before`, another checkout
is measured in alternation, with this one's Python and libraries. Prints Markdown.
"""

import argparse
import contextlib
import json
import os
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import in_turn, spread, table
from bench.machine import describe
from bench.processes import cpu_s
from bench.servers import PATIENCE_S, ROOT, launch_ours
from bench.servers import Server as RunningService
from bench.variants import CRNN
from scripts.http2_client import Connection, Request, Server

SETTLE_S = 0.1
WARM_UP = 20
READINGS = 30  # so many times fewer requests are read than refused
BOUNDARY = "envelope"
IMPORT = "import resource, service.app; print(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))"
VARIABLES = {"OCR_TLS__CONTROL_FRAMES_PER_S": "100000", "OCR_LIMITS__PER_ADDRESS": "100000/second"}
AMPLE = {"*": "100000/second", "/ocr": "100000/second"}
START = "importing the service, processor ms"
HEALTH = "GET /healthz, processor ms"
REFUSED = "refused POST /ocr, processor ms"
ANSWER = "JSON answer, processor ms"
CLOCK = "JSON answer, client's clock less the reading, ms"

Found = dict[str, list[float]]


class Subject:
    """A running service: what its requests cost."""

    def __init__(self, root: Path, server: RunningService, image: bytes) -> None:
        self._root = root
        self._pid = server.process.pid
        key = {"x-api-key": server.keys[0]}
        form = {**key, "content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        edge = BOUNDARY.encode()
        part = b'Content-Disposition: form-data; name="image"; filename="receipt"'
        body = b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (edge, part, image, edge)
        self._requests = {
            HEALTH: Request("GET", "/healthz"),
            REFUSED: Request("POST", "/ocr", {**key, "content-type": "text/x"}, b"no image"),
        }
        self._read = Request("POST", "/ocr", form, body)
        self._trust = ssl.create_default_context(cafile=server.ca)
        self._server = Server(("127.0.0.1", server.port), "localhost", f"localhost:{server.port}")
        self.found: Found = {}

    def connection(self) -> contextlib.closing[Connection]:
        """Return a connection of its own: one that is idle meanwhile would be closed."""
        return contextlib.closing(Connection(self._server, self._trust, PATIENCE_S))

    def measure(self, requests: int) -> None:
        """Measure everything once."""
        self._measure_import()
        with self.connection() as connection:
            self._measure_requests(connection, requests)

    def _measure_import(self) -> None:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self._root)}
        imported = subprocess.run(
            [sys.executable, "-c", IMPORT], cwd=self._root, env=environment, capture_output=True,
            check=True, text=True,
        )  # fmt: skip
        self._note(START, float(imported.stdout) * 1000)

    def _measure_requests(self, connection: Connection, requests: int) -> None:
        for title, request in self._requests.items():
            connection.statuses(request, WARM_UP)
            began = self._cpu_s()
            connection.statuses(request, requests)
            self._note(title, (self._cpu_s() - began) / requests * 1000)
        readings = max(1, requests // READINGS)
        began = self._cpu_s()
        for _ in range(readings):
            self._note(CLOCK, self.answer_ms(connection))
        self._note(ANSWER, (self._cpu_s() - began) / readings * 1000)

    def answer_ms(self, connection: Connection) -> float:
        """Have the image read; return the ms that were not the reading's."""
        began = time.perf_counter()
        response = connection.send(self._read)
        ms = (time.perf_counter() - began) * 1000
        return ms - float(json.loads(response.body)["timing_ms"]["total"])

    def _note(self, title: str, value: float) -> None:
        self.found.setdefault(title, []).append(value)

    def _cpu_s(self) -> float:
        time.sleep(SETTLE_S)
        return cpu_s([self._pid])


@contextlib.contextmanager
def subject(root: Path, image: bytes) -> Iterator[Subject]:
    """Start the service of a checkout."""
    launched = launch_ours(CRNN, warm=True, limits=(AMPLE,), variables=VARIABLES, root=root)
    with launched as server:
        one = Subject(root, server, image)
        with one.connection() as connection:
            one.answer_ms(connection)  # an engine starts
        yield one


def rows(found: Mapping[str, Found]) -> list[list[str]]:
    """Return a row for each figure, with the medians, and their ratio if there are two."""
    lines = []
    for title in (START, HEALTH, REFUSED, ANSWER, CLOCK):
        middles = [statistics.median(each[title]) for each in found.values()]
        ratio = f"{middles[-1] / middles[0]:.3f}x" if len(middles) > 1 else "-"
        lines.append([title, *(spread(each[title], 3) for each in found.values()), ratio])
    return lines


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="envelope", description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--image", type=Path, default=ROOT / "examples" / "receipt.png")
    arguments = parser.parse_args()
    print(describe() + "\n")
    roots = {"now": ROOT}
    if arguments.before:
        roots = {"before": arguments.before.resolve(), **roots}
    image = arguments.image.read_bytes()
    with contextlib.ExitStack() as stack:
        subjects = {name: stack.enter_context(subject(root, image)) for name, root in roots.items()}
        for number in range(arguments.rounds):
            for one in in_turn(list(subjects.values()), number):
                one.measure(arguments.requests)
        found = {name: one.found for name, one in subjects.items()}
    print(table(["median (lowest-highest)", *found, "now / before"], rows(found)))


if __name__ == "__main__":
    main()
