"""The self-check: reads examples/receipt.png through the service's own port, as a client would.

Over HTTP/2, with the certificate verified and with a key, so that the request passes through the
whole middleware stack. Behind a proxy: over HTTP/1.1, with the headers that the proxy would add.
"""

import difflib
import json
import os
import subprocess
import time
import unicodedata
from contextlib import suppress
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from typing import Any

from scripts.addresses import host_and_port, listens
from scripts.http2_client import Request, Response
from scripts.self_check_sender import CannotCheck, Send, Trust, sender
from settings import Settings
from settings.server import is_loopback_bind
from tls.certificates import inspect

ROOT = Path(__file__).resolve().parent.parent
RECEIPT = ROOT / "examples" / "receipt.png"
EXPECTED = ROOT / "examples" / "receipt.txt"
HANDLER = "handlers.ocr:recognize"
BOUNDARY = "sealed-ocr-self-check"
SIMILARITY = 0.9  # of the characters; a recogniser may misread one, not all
PATIENCE_S = 60  # for the first response, on a busy machine
# Responses that say that the service cannot read; others say something about the key or the load.
BROKEN_STATUSES = {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INTERNAL_SERVER_ERROR}
BROKEN_CODES = {"reader_died", "weights_missing"}


class SelfCheckError(Exception):
    """The service has ended, does not listen, or does not read what the receipt says."""


class SelfCheck:
    """The check of one service, and the facts that its banner needs."""

    def __init__(self, settings: Settings, settings_file: Path, extra_ca: Path | None) -> None:
        self._settings = settings
        self._key_file = settings_file.resolve().parent / ".dev" / "key"
        self._extra_ca = extra_ca
        self.ca: Path | None = extra_ca
        self.url = settings.plain_port.origin
        self.path = next((f.path for f in settings.enabled_functions if f.handler == HANDLER), None)

    def run(self, service: subprocess.Popen[bytes]) -> str:
        """Read the receipt; return what to print.

        Raises:
            CannotCheck: the check cannot be made; the service may be all right.
            SelfCheckError: the service has ended, or read something unexpected.

        """
        wait_until_listening(service, self._settings)
        development = self._find_certificate()
        send = sender(self._settings, self.url, Trust(development, self._extra_ca), PATIENCE_S)
        if self._settings.tls.client_certificates == "required":
            raise CannotCheck("clients need a certificate, and this program has none")
        if self.path is None:
            raise CannotCheck(f"no function has the handler {HANDLER}")
        key = self._key()
        security = "and TLS" if self._settings.server.has_tls else "as a proxy would send it"
        if key is None:
            ready = wait_until_ready(send)
            return (
                f"Ready over {ready.http_version} {security}, nothing read. Set SEALED_OCR_KEY to "
                "one of your keys to have the receipt read."
            )
        started = time.perf_counter()
        response = send(upload(self.path, key))
        elapsed_ms = (time.perf_counter() - started) * 1000
        if service.poll() is not None:
            raise SelfCheckError("another process responded on the port; the service has ended")
        reading = check(response)
        times = reading["timing_ms"]
        return (
            f"{reading['text']}\n\n"
            f"Read {RECEIPT.relative_to(ROOT)} over {response.http_version} {security} in "
            f"{elapsed_ms:.0f} ms, loading the model included; "
            f"{times['total'] - times['queue']:.0f} ms of that was reading ({reading['model']})."
        )

    def _find_certificate(self) -> Path | None:
        """Return the CA of a development certificate, for which the URL is another; else None."""
        server = self._settings.server
        if not server.has_tls:
            return None
        certificate = Path(server.certfile or "")
        if not inspect(certificate).development:
            return None
        host, port = host_and_port(server.bind[0])
        host = "localhost" if is_loopback_bind(server.bind[0]) else host
        self.url = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        self.ca = certificate.with_name("ca.pem")
        return self.ca

    def _key(self) -> str | None:
        """Return the development key, or the operator's key in SEALED_OCR_KEY, if set."""
        if self._settings.keys:
            return os.environ.get("SEALED_OCR_KEY") or None
        return self._key_file.read_text(encoding="ascii").strip()


def wait_until_listening(service: subprocess.Popen[bytes], settings: Settings) -> None:
    """Wait until the port accepts connections: the certificate and the key have been made by then.

    Raises:
        CannotCheck: the system chooses the port.
        SelfCheckError: the service ended, or does not listen in time.

    """
    bind = settings.server.bind[0]
    if bind.endswith(":0"):
        raise CannotCheck(f"bind {bind} leaves the port to the system")
    due = time.monotonic() + PATIENCE_S
    while time.monotonic() < due:
        if service.poll() is not None:
            raise SelfCheckError("the service ended before it listened")
        if listens(bind):
            return
        time.sleep(0.02)
    raise SelfCheckError(f"nothing listened at {bind} within {PATIENCE_S} s")


def wait_until_ready(send: Send) -> Response:
    """Poll /readyz, which starts an engine, until that has read a page; return the response.

    Raises:
        CannotCheck: it was not ready in time.

    """
    due = time.monotonic() + PATIENCE_S
    while True:
        ready = send(Request(HTTPMethod.GET, "/readyz"))
        if ready.status == HTTPStatus.OK:
            return ready
        if time.monotonic() > due:
            raise CannotCheck(f"/readyz responded {ready.status}: {ready.text}")
        time.sleep(0.2)


def upload(path: str, key: str) -> Request:
    """Return a request that uploads the receipt as the form field `image`."""
    head = (
        f"--{BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="image"; filename="{RECEIPT.name}"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    body = head.encode() + RECEIPT.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "x-api-key": key,
        "accept": "application/json",
        "content-type": f"multipart/form-data; boundary={BOUNDARY}",
        "content-length": str(len(body)),
    }
    return Request(HTTPMethod.POST, path, headers, body)


def check(response: Response) -> dict[str, Any]:
    """Compare the response with the text of the receipt; return it parsed.

    Raises:
        CannotCheck: the service refused the request, as it may refuse a key or while it is busy.
        SelfCheckError: the service cannot read, or the text differs.

    """
    if response.status != HTTPStatus.OK:
        said = f"the service responded {response.status}: {response.text}"
        code = None
        with suppress(ValueError, AttributeError):
            code = json.loads(response.body).get("code")
        if response.status in BROKEN_STATUSES or code in BROKEN_CODES:
            raise SelfCheckError(said)
        raise CannotCheck(said)
    reading: dict[str, Any] = json.loads(response.body)
    read, expected = plain(reading["text"]), plain(EXPECTED.read_text(encoding="utf-8"))
    similarity = difflib.SequenceMatcher(None, read, expected, autojunk=False).ratio()
    if similarity < SIMILARITY:
        raise SelfCheckError(f"only {similarity:.0%} of the receipt was read:\n{reading['text']}")
    return reading


def plain(text: str) -> str:
    """Return `text` without differences that do not count: white space, case, width."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
