"""Exit with status 0 if the service that runs with this settings file is alive, else with 1.

Made for a container's health check: it needs no shell, no curl and only the standard library,
because it is started every half minute. It requests /healthz at the first address of `bind`: over
TLS, accepting only the certificate in certfile, or without certfile as the proxy would.
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

TIMEOUT_S = 3
TRIES = 3
PAUSE_S = 2  # longer than it takes to reload a new certificate, [tls] reload_poll_s
# The headers of a proxy whose client uses HTTPS. Both kinds: the service ignores the one that
# [proxy] header does not name, which a variable or secret may override.
PROXY_HEADERS = {
    "Forwarded": "for=127.0.0.1;proto=https",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Proto": "https",
}
WILDCARDS = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104 - compared


class NoAddress(Exception):
    """The settings have no address that this program can connect to."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self.path = path

    def connect(self) -> None:
        """Connect to the path."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def main() -> int:
    """Return the exit status."""
    file = Path(os.environ.get("OCR_SETTINGS", "settings.toml"))
    problem = "no response"
    for attempt in range(TRIES):
        time.sleep(PAUSE_S if attempt else 0)
        try:
            settings = tomllib.loads(file.read_text(encoding="utf-8"))
            problem = check(settings)
        except (OSError, http.client.HTTPException, ValueError, NoAddress) as error:
            problem = f"{type(error).__name__}: {error}"
        if not problem:
            return 0
    print(problem, file=sys.stderr)
    return 1


def check(settings: dict[str, Any]) -> str:
    """Return what is wrong with the response; "" if it is right.

    Raises:
        OSError: the connection failed.
        HTTPException: the response is not HTTP.
        NoAddress: the address is not known.

    """
    connection = connection_to(settings)
    try:
        connection.connect()
        with suppress(
            ConnectionError
        ):  # rejected and closed already; the response can still be read
            connection.request("GET", "/healthz", headers=PROXY_HEADERS)
        status = connection.getresponse().status
    except ssl.SSLError as error:
        # [tls] client_certificates = "required": this program has none, but a service that reports
        # that is alive. TLS 1.3 sends the alert after its own certificate has been verified.
        if error.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED":
            return ""
        raise
    finally:
        connection.close()
    return "" if status == http.client.OK else f"/healthz responded {status}"


def connection_to(settings: dict[str, Any]) -> http.client.HTTPConnection:
    """Return a connection to the first address.

    Raises:
        NoAddress: the address is that of an inherited socket, or malformed.

    """
    bind = settings.get("bind", [])
    address = bind if isinstance(bind, str) else next(iter(bind), "")
    if address.startswith("unix:"):
        return UnixConnection(address.removeprefix("unix:"))
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        raise NoAddress(f"the address of bind {address!r} is not known")
    where = WILDCARDS.get(host, host.strip("[]"))
    if not settings.get("certfile"):
        return http.client.HTTPConnection(where, int(port), timeout=TIMEOUT_S)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # This machine need not be among the certificate's names: it must be exactly this certificate.
    trust.check_hostname = False
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trust.load_verify_locations(settings["certfile"])
    return http.client.HTTPSConnection(where, int(port), timeout=TIMEOUT_S, context=trust)


if __name__ == "__main__":
    sys.exit(main())
