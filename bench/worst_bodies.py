"""Measures what the worst bodies do to others: `python bench/worst_bodies.py [--rounds 5]`.

Sends the service a body that costs its parser the most, one after another over connections of their
own, while another client requests /healthz; the same without any body before and after. The bodies
have nearly the size that is allowed. Prints Markdown; exit status 1 where the mean of /healthz
beside a body is more than TARGET times the one beside an ordinary upload of the same size. The
mean, since between two bodies that each stop the service most requests are fast.
"""

import argparse
import base64
import contextlib
import http.client
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import percentile, table
from bench.machine import describe
from bench.servers import ROOT, launch_ours

TARGET = 3
SIZE = 4_900_000  # a little under max_body_bytes
RECOGNISER = "sealed-crnn-v2"  # is not started
ORDINARY = "an upload that is no image"
JSON = "application/json"
FORM = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n'


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes a body of a given size, its Content-Type, and the size of its chunks, if any."""

    content_type: str
    body: Callable[[int], bytes]
    chunk_bytes: int = 0


def filled(head: bytes, filling: bytes, tail: bytes) -> Callable[[int], bytes]:
    """Return what makes a body of a given size from repeated bytes."""
    return lambda size: head + filling * ((size - len(head) - len(tail)) // len(filling)) + tail


KINDS: Mapping[str, Kind] = {
    ORDINARY: Kind("application/octet-stream", filled(b"", b"\xa5", b"")),
    "JSON: 1.6 million empty strings": Kind(JSON, filled(b'{"images": [', b'"",', b'""]}')),
    "JSON: 1.6 million objects": Kind(JSON, filled(b'{"images": [', b"{},", b"{}]}")),
    "JSON: 4.9 million arrays, nested": Kind(JSON, filled(b"", b"[", b"")),
    "JSON: one string of base64": Kind(
        JSON, lambda size: b'{"image": "' + base64.b64encode(bytes(size // 4 * 3 - 99)) + b'"}'
    ),
    "JSON: one string of escapes": Kind(JSON, filled(b'{"image": "', b"\\n", b'"}')),
    "JSON: one string of escaped quotes": Kind(JSON, filled(b'{"image": "', b'\\"', b'"}')),
    "JSON: white space": Kind(JSON, filled(b"", b" ", b"{}")),
    "JSON: a name": Kind(JSON, filled(b'{"', b"x", b'": 1}')),
    "JSON: UTF-16": Kind(
        JSON, lambda size: ('{"image": "' + "QUJD" * (size // 8 - 9) + '"}').encode("utf-16")
    ),
    "multipart: 70,000 empty files": Kind(FORM, filled(b"", PART + b"\r\n\r\n", b"--b--")),
    "multipart: 800,000 headers": Kind(FORM, filled(PART, b"X: y\r\n", b"")),
    "multipart: one header": Kind(FORM, filled(PART + b"X: ", b"y", b"")),
    "multipart: line ends": Kind(FORM, filled(PART + b"\r\n", b"\r\n", b"\r\n--b--")),
    "multipart: almost boundaries": Kind(FORM, filled(PART + b"\r\n", b"\r\n--", b"\r\n--b--")),
    "multipart: before the first boundary": Kind(FORM, filled(b"", b"\r\n--", b"")),
    "chunks of one byte": Kind(
        "application/octet-stream", lambda size: bytes([0xA5]) * (size // 6), chunk_bytes=1
    ),
}


def request_of(kind: Kind, key: str, size: int = SIZE) -> bytes:
    """Return the bytes of a request with such a body."""
    body = kind.body(size)
    length = f"Content-Length: {len(body)}"
    if kind.chunk_bytes:
        size = kind.chunk_bytes
        chunks = (body[at : at + size] for at in range(0, len(body), size))
        body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
        length = "Transfer-Encoding: chunked"
    head = (
        f"POST /ocr HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: {key}\r\n"
        f"Content-Type: {kind.content_type}\r\n{length}\r\n\r\n"
    )
    return head.encode() + body


@contextlib.contextmanager
def sending(port: int, ca: Path | str, request: bytes) -> Iterator[Callable[[], str]]:
    """Send a request again and again during a block; what is given waits for the next status.

    The sender gets what others leave of the processor: a real one has a machine of its own. But it
    goes before what runs at the lowest priority.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.write(request)
        file.flush()
        command = ["nice", "-n", "10", sys.executable, "bench/send_request.py"]
        with subprocess.Popen(
            [*command, str(port), str(ca), file.name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as sender:
            try:
                yield lambda: sender.stdout.readline().strip() if sender.stdout else ""
            finally:
                sender.kill()


class Health:
    """A client of /healthz over one connection."""

    def __init__(self, port: int, ca: Path | str) -> None:
        trust = ssl.create_default_context(cafile=str(ca))
        self._connection = http.client.HTTPSConnection("localhost", port, context=trust)

    def times_ms(self, seconds: float) -> list[float]:
        """Return how long each of many requests took."""
        times = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.perf_counter()
            self._connection.request("GET", "/healthz")
            response = self._connection.getresponse()
            response.read()
            times.append((time.perf_counter() - began) * 1000)
            if response.status != http.client.OK:
                raise RuntimeError(f"/healthz responded {response.status}")
            time.sleep(0.001)
        return times

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="worst_bodies", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--size", type=int, default=SIZE, help="bytes of a body")
    arguments = parser.parse_args()
    print(describe() + "\n")
    calm: list[float] = []
    beside: dict[str, list[float]] = {name: [] for name in KINDS}
    statuses: dict[str, str] = {}
    with (
        launch_ours(RECOGNISER) as server,
        contextlib.closing(Health(server.port, server.ca)) as health,
    ):
        health.times_ms(arguments.seconds)
        for _ in range(arguments.rounds):
            for name, kind in KINDS.items():
                calm += health.times_ms(arguments.seconds / 4)
                request = request_of(kind, server.keys[0], arguments.size)
                with sending(server.port, server.ca, request) as status:
                    if kind.chunk_bytes:
                        time.sleep(arguments.seconds)  # the response comes after body_timeout_s
                    else:
                        statuses[name] = status()
                    beside[name] += health.times_ms(arguments.seconds)
    return show(calm, beside, statuses)


def show(calm: list[float], beside: Mapping[str, list[float]], statuses: Mapping[str, str]) -> int:
    """Print the times; return the exit status."""
    rows = [["nothing", "-", *_times(calm)]]
    rows += [[name, statuses.get(name, "-"), *_times(times)] for name, times in beside.items()]
    print(table(["beside", "status", "mean, ms", "p50, ms", "p99, ms", "longest, ms"], rows))
    ordinary = statistics.mean(beside[ORDINARY])
    return int(any(statistics.mean(times) > TARGET * ordinary for times in beside.values()))


def _times(times: list[float]) -> list[str]:
    found = statistics.mean(times), statistics.median(times), percentile(times, 0.99), max(times)
    return [f"{ms:.1f}" for ms in found]


if __name__ == "__main__":
    sys.exit(main())
