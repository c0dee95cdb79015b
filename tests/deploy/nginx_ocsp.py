"""OCSP: an authority's answer on the state of nginx's certificate, by openssl's responder."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.deploy.nginx_certificates import Authority

GOOD, REVOKED = "V\t{due}\t\t", "R\t{due}\t260101000000Z\t"


@contextmanager
def responder(authority: Authority, port: int, state: str) -> Iterator[None]:
    """Answer on a port, for as long as the block lasts, that the certificate is in this state."""
    folder, server = authority.folder, authority.server
    due = f"{server.not_valid_after_utc:%y%m%d%H%M%SZ}"
    serial = f"{server.serial_number:X}"
    serial = serial.zfill(len(serial) + len(serial) % 2)
    line = f"{state.format(due=due)}{serial}\tunknown\t/CN=localhost\n"
    (folder / "index.txt").write_text(line, "ascii")
    process = subprocess.Popen(
        (
            *("openssl", "ocsp", "-index", folder / "index.txt", "-port", str(port)),
            *("-rsigner", folder / "ca.pem", "-rkey", folder / "ca.key"),
            *("-CA", folder / "ca.pem", "-nmin", "60"),
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()
