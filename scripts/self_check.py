"""The self-check: reads examples/receipt.png through the service's own port, as a caller would.

Over HTTP/2, with the certificate verified and with a key, so that the request passes through the
whole middleware stack. Behind a proxy: over HTTP/1.1, with the headers that the proxy would add.
"""

import difflib
import http.client
import json
import os
import ssl
import subprocess
import time
import unicodedata
from collections.abc import Callable
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.addresses import UnixConnection, host_and_port, listens
from scripts.self_check_client import Request, Response, send_http1, send_http2, upload
from settings import Settings
from settings.server import bind_host, is_loopback_bind
from settings.tables import UNIX
from tls.certificates import inspect

ROOT = Path(__file__).resolve().parent.parent
RECEIPT = ROOT / "examples" / "receipt.png"
EXPECTED = ROOT / "examples" / "receipt.txt"
PROXY_HEADERS = {
    "forwarded": {"Forwarded": "for=127.0.0.1;proto=https"},
    "x-forwarded": {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"},
}
SIMILARITY = 0.9  # of the characters; a recogniser may misread one, not all
PATIENCE_S = 60  # for the first response, on a busy machine

Send = Callable[[Request], Response]


class SelfCheckError(Exception):
    """The service does not respond, or does not read what the receipt says."""


def self_check(service: subprocess.Popen[bytes], settings: Settings, settings_file: Path) -> None:
    """Read the receipt and print the result.

    Raises:
        SelfCheckError: the service ended, or responded or read something unexpected.
        NoResponse, OSError, HTTPException: the connection failed.

    """
    certificate = Path(settings.server.certfile or "certificate.pem")
    wait_until_listening(service, settings)
    development = settings.server.has_tls and inspect(certificate).development
    ca = certificate.with_name("ca.pem") if development else None
    url = url_of(settings, development=development)
    security = "and TLS" if settings.server.has_tls else "as a proxy would send it"
    key = key_for_self_check(settings, settings_file)
    send = sender(settings, url, ca)
    if key is None:
        ready = wait_until_ready(send)
        print(
            f"\nServing {url}: ready over {ready.http_version} {security}, nothing read. "
            "Set SEALED_OCR_KEY to one of your keys to have the receipt read.",
            flush=True,
        )
        return
    started = time.perf_counter()
    response = send(upload("/ocr", {"X-API-Key": key}, RECEIPT.name, RECEIPT.read_bytes()))
    elapsed_ms = (time.perf_counter() - started) * 1000
    if service.poll() is not None:
        raise SelfCheckError("another process responded on the port; the service itself has ended")
    reading = check(response)
    times = reading["timing_ms"]
    print(f"\n{reading['text']}\n")
    print(
        f"Read {RECEIPT.relative_to(ROOT)} over {response.http_version} {security} in "
        f"{elapsed_ms:.0f} ms, loading the model included; "
        f"{times['total'] - times['queue']:.0f} ms of that was reading ({reading['model']})."
    )
    print_curl(url, ca, own_keys=bool(settings.keys))


def print_curl(url: str, ca: Path | None, *, own_keys: bool) -> None:
    """Print the curl command that reads the receipt."""
    shown = "$SEALED_OCR_KEY" if own_keys else "$(cat .dev/key)"
    trust = f" --cacert {os.path.relpath(ca)}" if ca else ""
    if not own_keys:
        print("The key in .dev/key is for development: valid on this machine alone.")
    print("\nTry it:\n")
    print(
        f'curl --http2{trust} -H "X-API-Key: {shown}" '
        f"-F image=@{RECEIPT.relative_to(ROOT)} {url}/ocr\n",
        flush=True,
    )


def sender(settings: Settings, url: str, ca: Path | None) -> Send:
    """Return a function that sends requests as a caller, or as the proxy where it does TLS."""
    if settings.server.has_tls:
        trust = ssl.create_default_context(cafile=ca)
        parts = urlsplit(url)
        address = (parts.hostname or "localhost", parts.port or 443)
        return lambda request: send_http2(address, trust, request, PATIENCE_S)
    headers = PROXY_HEADERS[settings.proxy.header]
    bind = settings.server.bind[0]

    def send(request: Request) -> Response:
        connection: http.client.HTTPConnection
        if bind_host(bind) == UNIX:
            connection = UnixConnection(bind.removeprefix("unix:"), PATIENCE_S)
        else:
            connection = http.client.HTTPConnection(*host_and_port(bind), PATIENCE_S)
        return send_http1(connection, request, headers)

    return send


def wait_until_listening(service: subprocess.Popen[bytes], settings: Settings) -> None:
    """Wait until the port accepts connections: the certificate and the key have been made by then.

    Raises:
        SelfCheckError: the service ended, or does not listen in time.

    """
    due = time.monotonic() + PATIENCE_S
    while time.monotonic() < due:
        if service.poll() is not None:
            raise SelfCheckError("the service ended before it listened")
        if listens(settings.server.bind[0]):
            return
        time.sleep(0.02)
    raise SelfCheckError(f"nothing listened within {PATIENCE_S} s")


def wait_until_ready(send: Send) -> Response:
    """Poll /readyz, which starts an engine, until that has read a page; return the response.

    Raises:
        SelfCheckError: it was not ready in time.

    """
    due = time.monotonic() + PATIENCE_S
    while True:
        ready = send(Request(HTTPMethod.GET, "/readyz"))
        if ready.status == HTTPStatus.OK:
            return ready
        if time.monotonic() > due:
            raise SelfCheckError(f"/readyz responded {ready.status}: {ready.text}")
        time.sleep(0.2)


def check(response: Response) -> dict[str, Any]:
    """Compare the response with the text of the receipt; return it parsed.

    Raises:
        SelfCheckError: the status or the text differs.

    """
    if response.status != HTTPStatus.OK:
        raise SelfCheckError(f"/ocr responded {response.status}: {response.text}")
    reading: dict[str, Any] = json.loads(response.body)
    read, expected = plain(reading["text"]), plain(EXPECTED.read_text(encoding="utf-8"))
    similarity = difflib.SequenceMatcher(None, read, expected, autojunk=False).ratio()
    if similarity < SIMILARITY:
        raise SelfCheckError(f"only {similarity:.0%} of the receipt was read:\n{reading['text']}")
    return reading


def plain(text: str) -> str:
    """Return `text` without differences that do not count: white space, case, width."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def url_of(settings: Settings, *, development: bool) -> str:
    """Return the URL with the host that the certificate is for."""
    if not development:
        return settings.plain_port.origin
    host, port = host_and_port(settings.server.bind[0])
    host = f"[{host}]" if ":" in host else host
    return f"https://{'localhost' if is_loopback_bind(settings.server.bind[0]) else host}:{port}"


def key_for_self_check(settings: Settings, settings_file: Path) -> str | None:
    """Return the development key, or the operator's key in SEALED_OCR_KEY, if set."""
    if settings.keys:
        return os.environ.get("SEALED_OCR_KEY")
    return (settings_file.resolve().parent / ".dev" / "key").read_text(encoding="ascii").strip()
