"""Ask the service that runs with this settings file whether it lives; the exit status tells.

Made for a container's health check: no shell, no curl, and no library but Python's own, because it
is started every half minute. It asks /healthz at the first address of `bind`: over TLS, where only
the certificate that certfile names will do, or over a Unix socket.
"""

import http.client
import os
import socket
import ssl
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

PATIENCE_S = 3
TRIES = 3
PAUSE_S = 2  # a new certificate is taken up within [tls] reload_poll_s
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104 - compared


class Unanswerable(Exception):
    """The settings say nothing this program could ask."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self) -> None:
        """Connect to the path."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def main() -> int:
    """Return 0 if it lives, 1 if not."""
    file = Path(os.environ.get("OCR_SETTINGS", "settings.toml"))
    problem = "not asked"
    for attempt in range(TRIES):
        time.sleep(PAUSE_S if attempt else 0)
        try:
            settings = tomllib.loads(file.read_text(encoding="utf-8"))
            problem = ask(settings)
        except (OSError, http.client.HTTPException, ValueError, Unanswerable) as error:
            problem = f"{type(error).__name__}: {error}"
        if not problem:
            return 0
    print(problem, file=sys.stderr)
    return 1


def ask(settings: dict[str, Any]) -> str:
    """Return what is wrong with the answer, or nothing. Raises OSError, HTTPException."""
    connection = connection_to(settings)
    try:
        connection.request("GET", "/healthz", headers=forwarding(settings))
        status = connection.getresponse().status
    finally:
        connection.close()
    return "" if status == http.client.OK else f"/healthz answered {status}"


def connection_to(settings: dict[str, Any]) -> http.client.HTTPConnection:
    """Return a connection to the first address. Raises Unanswerable where it cannot be known."""
    bind = settings.get("bind", [])
    address = bind if isinstance(bind, str) else next(iter(bind), "")
    if address.startswith("unix:"):
        return UnixConnection(address.removeprefix("unix:"))
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        raise Unanswerable(f"bind {address!r} is known to its owner alone")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The address is our own machine's, whatever names the certificate has: it must be the very one.
    trust.check_hostname = False
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trust.load_verify_locations(settings.get("certfile"))
    where = EVERYWHERE.get(host, host.strip("[]"))
    return http.client.HTTPSConnection(where, int(port), timeout=PATIENCE_S, context=trust)


def forwarding(settings: dict[str, Any]) -> dict[str, str]:
    """Return what the proxy that the service listens to would add, as its callers use HTTPS."""
    match settings.get("proxy", {}).get("header"):
        case "forwarded":
            return {"Forwarded": "for=127.0.0.1;proto=https"}
        case "x-forwarded":
            return {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"}
    return {}


if __name__ == "__main__":
    sys.exit(main())
