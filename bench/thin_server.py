"""A peer behind plain HTTP/1.1: `PYTHON -P bench/thin_server.py PORT PEER`, a name in READERS.

Run with the peer's own Python, of which it needs the standard library alone. POST an image's bytes
and have `{"0": {"rec_txt": ...}, ...}`, rapidocr_api's form; 422 and `{}` where it is no image.
GET answers the peak memory, in MB, of processes that have ended: /proc shows it no longer.
No image is written to a disk.

What is the peer's to gain: the body is the image alone, connections are kept, an answer is one
packet, every connection has a thread, and no request waits for another one.
- rapidocr-onnxruntime: one engine with its own defaults, loaded before the port opens, that reads
  for all requests at once, as rapidocr_api's does. With the defaults they share no state.
- tesseract: a process a request, as with pytesseract, as many at once as there are requests. Image
  and text go through pipes; its own page segmentation; plain text, which costs less than TSV. It
  loads its models each time. How many threads it takes, OMP_THREAD_LIMIT says: see bench/peers.py.
"""

import http.server
import importlib
import json
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Protocol

LANGUAGES = "eng+chi_sim"  # what the other peers read, too, without being told which it is
KB, MB = 1024, 1_000_000


class Unreadable(Exception):
    """The peer does not take what was sent for an image."""


class Reader(Protocol):
    """A peer, ready to read."""

    def read(self, image: bytes) -> list[str]:
        """Return the lines on an image, in the peer's order. Raises Unreadable."""

    def ended_mb(self) -> float:
        """Return the peak memory of processes that have ended, never less than the true one."""


class RapidOCR:
    """rapidocr-onnxruntime, in this process."""

    def __init__(self) -> None:
        self._engine = importlib.import_module("rapidocr_onnxruntime").RapidOCR()

    def read(self, image: bytes) -> list[str]:
        try:
            lines, _seconds = self._engine(image)
        except OSError as error:  # Pillow's UnidentifiedImageError among them
            raise Unreadable from error
        return [text for _box, text, _score in lines or []]

    def ended_mb(self) -> float:
        return 0.0


class Tesseract:
    """The tesseract program, once a request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = self._most = 0

    def read(self, image: bytes) -> list[str]:
        self._count(1)
        try:
            done = subprocess.run(
                ["tesseract", "stdin", "stdout", "-l", LANGUAGES],
                input=image,
                capture_output=True,
                check=True,
            )
        except subprocess.CalledProcessError as error:
            raise Unreadable from error
        finally:
            self._count(-1)
        return [line for line in done.stdout.decode().splitlines() if line.strip()]

    def ended_mb(self) -> float:
        """Return the largest one, times the most that ran at once."""
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KB / MB * self._most

    def _count(self, step: int) -> None:
        with self._lock:
            self._running += step
            self._most = max(self._most, self._running)


READERS: dict[str, Callable[[], Reader]] = {
    "rapidocr-onnxruntime": RapidOCR,
    "tesseract": Tesseract,
}


class ThinServer(http.server.ThreadingHTTPServer):
    """Listens on loopback and has its reader read. Port 0 takes a free one."""

    request_queue_size = 128  # with 5, the default, a burst waits a second to knock again

    def __init__(self, port: int, reader: Reader) -> None:
        self.reader = reader
        super().__init__(("127.0.0.1", port), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    server: ThinServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: apart, the body waits for the head's ACK
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Read the image."""
        image = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            lines = self.server.reader.read(image)
        except Unreadable:
            self._answer(422, {})
        else:
            self._answer(200, {str(n): {"rec_txt": line} for n, line in enumerate(lines)})

    def do_GET(self) -> None:
        """Say what has ended took."""
        self._answer(200, self.server.reader.ended_mb())

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThinServer(int(sys.argv[1]), READERS[sys.argv[2]]()).serve_forever()
