"""Ask the service that runs with this settings file whether it lives; the exit status tells.

Made for a container's health check: no shell, no curl, and no library but Python's own, because it
is started every half minute. It asks /healthz at the first address of `bind`: over TLS, where only
the certificate that certfile names will do, or, where it has none, as the proxy asks.
"""

import http.client
import os
import socket
import ssl
import sys
import time
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE_S = 3
TRIES = 3
PAUSE_S = 2  # a new certificate is taken up within [tls] reload_poll_s
# What a proxy adds, as its callers use HTTPS. Both kinds: the service ignores the one that [proxy]
# header does not name, and an override of that, in a variable or a secret, need not be found here.
FORWARDING = {
    "Forwarded": "for=127.0.0.1;proto=https",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Proto": "https",
}
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
        connection.connect()
        with suppress(ConnectionError):  # refused and closed already; why is still to be read
            connection.request("GET", "/healthz", headers=FORWARDING)
        status = connection.getresponse().status
    except ssl.SSLError as error:
        # [tls] client_certificates = "required": this program has none, and who says so lives.
        # TLS 1.3 says it after the handshake: its certificate has been verified by then.
        if error.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED":
            return ""
        raise
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
    where = EVERYWHERE.get(host, host.strip("[]"))
    if not settings.get("certfile"):
        return http.client.HTTPConnection(where, int(port), timeout=PATIENCE_S)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The address is our own machine's, whatever names the certificate has: it must be the very one.
    trust.check_hostname = False
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trust.load_verify_locations(settings["certfile"])
    return http.client.HTTPSConnection(where, int(port), timeout=PATIENCE_S, context=trust)


if __name__ == "__main__":
    sys.exit(main())
