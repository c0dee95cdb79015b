"""How this machine reaches the addresses that the service is bound to."""

import http.client
import os
import socket

from settings.server import bind_host
from settings.tables import UNIX


class UnixConnection(http.client.HTTPConnection):
    """HTTP/1.1 over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self.path = path

    def connect(self) -> None:
        """Connect to the path."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def host_and_port(address: str) -> tuple[str, int]:
    """Return the host and port at which a `bind` address is reached."""
    host, port = bind_host(address), int(address.rpartition(":")[2].lstrip("/"))
    if host == "fd":  # a socket that was passed in knows its own address
        with socket.socket(fileno=os.dup(port)) as inherited:
            host, port = inherited.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - compared


def listens(address: str) -> bool:
    """Whether a connection to a `bind` address is accepted."""
    try:
        if bind_host(address) == UNIX:
            with socket.socket(socket.AF_UNIX) as one:
                one.connect(address.removeprefix("unix:"))
        else:
            socket.create_connection(host_and_port(address), timeout=1).close()
    except OSError:
        return False
    return True
