"""Raw bytes to a server and back, and what the service behind it has seen of them."""

import json
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.nginx import Front, Nginx
from tests.deploy.nginx_shapes import TRUSTED
from tests.system.service import PATIENCE_S, Service

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
HONEST = f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{TRUSTED}\r\n".encode()
HONEST_ANSWER = b'{"status":"ok"}'
CONTINUE, HEALTHY = 100, 200


Logged = list[tuple[str | None, str]]
"""Of each request that reached the service: its function, and whose it was."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of some bytes, and of the honest request sent after them."""

    received: bytes

    @property
    def statuses(self) -> list[int]:
        """Of all answers, in order; 100 is none."""
        found = [int(status) for status in STATUS.findall(self.received)]
        return [status for status in found if status != CONTINUE]

    @property
    def in_step(self) -> bool:
        """Whether there was one answer, and the honest one or the connection's end after it."""
        honest = [HEALTHY] if HONEST_ANSWER in self.received else []
        return self.statuses[1:] == honest and self.received.count(HONEST_ANSWER) == len(honest)


def through_nginx(front: Front) -> socket.socket:
    """Return a TLS connection to the nginx that all share."""
    return through(front.nginx)


def through(nginx: Nginx) -> socket.socket:
    """Return a TLS connection to nginx."""
    bare = socket.create_connection(("127.0.0.1", nginx.port), PATIENCE_S)
    return nginx.authority.trust().wrap_socket(bare, server_hostname="localhost")


def to_the_service(place: Path) -> socket.socket:
    """Return a connection to the service's own socket, as a proxy has it."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(place))
    return connection


def send(connection: socket.socket, data: bytes) -> Seen:
    """Send bytes and, once they are answered, an honest request; tell what came back."""
    received = b""
    # An end, at any point, is a server's good right.
    with connection, suppress(OSError):
        connection.settimeout(PATIENCE_S)
        connection.sendall(data)
        while not STATUS.search(received.removeprefix(b"HTTP/1.1 100")):
            received += _read(connection)
        connection.sendall(HONEST)
        while HONEST_ANSWER not in received:
            received += _read(connection)
    return Seen(received)


def is_healthy(connection: socket.socket, service: Service) -> bool:
    """Whether an honest request on a connection of its own gets its own answer, and is logged."""
    received = b""
    with connection:
        connection.sendall(HONEST)
        while HONEST_ANSWER not in received:
            received += _read(connection)
    service.logged(re.findall(rb"x-request-id: (\w+)", received)[0].decode())
    return STATUS.findall(received) == [b"200"]


def _read(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise ConnectionResetError
    return piece


def logged_since(service: Service, begin: int) -> Logged:
    """Return what the log has since, when it has been quiet for a moment."""
    count = -1
    while count != len(service.log):
        count = len(service.log)
        time.sleep(0.03)
    entries = [json.loads(line) for line in service.log[begin:] if line.startswith("{")]
    return [(entry["function"], entry["address"]) for entry in entries if "request_id" in entry]
