"""Start the service as `hypercorn --config settings.toml app:app`, then use it once, as a caller.

The self-check reads examples/receipt.png through the service's own port: over HTTP/2, with the
certificate verified and the key, so that what it prints has passed through the whole envelope.
"""

import argparse
import contextlib
import difflib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import httpx2

from settings import Settings, SettingsError, load_settings, settings_path
from settings.server import bind_host, is_loopback
from tls.certificates import CertificateError, is_development

RECEIPT = ROOT / "examples" / "receipt.png"
EXPECTED = ROOT / "examples" / "receipt.txt"
LIKENESS = 0.9  # of the characters read; a recogniser may stumble over one, not over all
PATIENCE_S = 60  # for the first answer, on a machine that is busy with something else


class SelfCheckError(Exception):
    """The service does not do what it is for."""


def main() -> int:
    """Serve until told to stop; return the exit status."""
    parser = argparse.ArgumentParser(prog="serve", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the self-check")
    once = parser.parse_args().once
    os.chdir(ROOT)
    settings_file = settings_path()
    try:
        settings = load_settings(settings_file)
    except SettingsError as error:  # said here, because Hypercorn reads the file first, and worse
        print(f"Sealed OCR does not start:\n{error}", file=sys.stderr)
        return 1
    taken = port_taken(settings)
    if taken is not None:
        print(f"{taken} is taken by another program: stop it, or change", file=sys.stderr)
        print(f"bind or insecure_bind in {settings_file}", file=sys.stderr)
        return 1
    hypercorn = Path(sys.executable).with_name("hypercorn")
    service = subprocess.Popen([hypercorn, "--config", str(settings_file), "app:app"])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: service.send_signal(received))
    try:
        if why := not_checked(settings):
            print(f"\nServing, without a self-check: {why}.", flush=True)
        else:
            self_check(service, settings, settings_file)
    except (SelfCheckError, CertificateError, httpx2.HTTPError, OSError) as error:
        if service.poll() is None:
            service.terminate()
        return service.wait() or fail(error)
    if once:
        service.terminate()
    return service.wait()


def port_taken(settings: Settings) -> str | None:
    """Return the first address that something listens at already: Hypercorn shows a traceback."""
    for address in (*settings.server.bind, *settings.server.insecure_bind):
        host, port = bind_host(address), address.rpartition(":")[2]
        if host in {"fd", "unix"} or port == "0":
            continue
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return address
    return None


def not_checked(settings: Settings) -> str | None:
    """Return why a reading cannot be asked for from here, if it can't."""
    if not settings.server.has_tls:
        return "TLS is the proxy's; ask through it"
    if settings.tls.client_certificates == "required":
        return "clients need a certificate, and it has none"
    return None


def self_check(service: subprocess.Popen[bytes], settings: Settings, settings_file: Path) -> None:
    """Read the receipt and print what came back.

    Raises:
        SelfCheckError: the service stopped, answered something else, or read something else.

    """
    certificate = Path(settings.server.certfile or "")
    wait_until_listening(service, settings)
    development = is_development(certificate)
    authority = certificate.with_name("ca.pem")
    url = url_of(settings, development=development)
    trust = ssl.create_default_context(cafile=authority if development else None)
    key = key_for_self_check(settings, settings_file)
    with httpx2.Client(http2=True, verify=trust, base_url=url, timeout=PATIENCE_S) as client:
        if key is None:
            ready = wait_until_ready(client)
            print(
                f"\nServing {url}: ready over {ready.http_version} and TLS, nothing read. "
                "Set SEALED_OCR_KEY to one of your keys to have the receipt read.",
                flush=True,
            )
            return
        started = time.perf_counter()
        answer = client.post(
            "/ocr",
            headers={"X-API-Key": key},
            files={"image": (RECEIPT.name, RECEIPT.read_bytes(), "image/png")},
        )
        elapsed_ms = (time.perf_counter() - started) * 1000
    if service.poll() is not None:
        raise SelfCheckError("another process answered on the port; the service itself has ended")
    check(answer)
    reading = answer.json()
    times = reading["timing_ms"]
    print(f"\n{reading['text']}\n")
    print(
        f"Read {RECEIPT.relative_to(ROOT)} over {answer.http_version} and TLS in "
        f"{elapsed_ms:.0f} ms, the model's loading included; "
        f"{times['total'] - times['queue']:.0f} ms of that was reading ({reading['model']})."
    )
    shown = "$(cat .dev/key)" if not settings.keys else "$SEALED_OCR_KEY"
    ca = f" --cacert {os.path.relpath(authority)}" if development else ""
    if not settings.keys:
        print("The key in .dev/key is for development: valid on this machine alone.")
    print("\nTry it:\n")
    print(
        f'curl --http2{ca} -H "X-API-Key: {shown}" '
        f"-F image=@{RECEIPT.relative_to(ROOT)} {url}/ocr\n",
        flush=True,
    )


def wait_until_listening(service: subprocess.Popen[bytes], settings: Settings) -> None:
    """Knock at the port until it opens: what the service makes at its start is there then.

    Raises:
        SelfCheckError: the service ended, or nothing answered in time.

    """
    host, port = address_of(settings)
    due = time.monotonic() + PATIENCE_S
    while time.monotonic() < due:
        if service.poll() is not None:
            raise SelfCheckError("the service ended before it served")
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.02)
    raise SelfCheckError(f"nothing answered within {PATIENCE_S} s")


def wait_until_ready(client: httpx2.Client) -> httpx2.Response:
    """Ask until the engine that the first question starts has read its page; return the answer.

    Raises:
        SelfCheckError: it was not ready in time.

    """
    due = time.monotonic() + PATIENCE_S
    while True:
        ready = client.get("/readyz")
        if ready.status_code == httpx2.codes.OK:
            return ready
        if time.monotonic() > due:
            raise SelfCheckError(f"/readyz answered {ready.status_code}: {ready.text}")
        time.sleep(0.2)


def check(answer: httpx2.Response) -> None:
    """Compare the answer with what the receipt says.

    Raises:
        SelfCheckError: the status, the protocol or the text is another.

    """
    if answer.status_code != httpx2.codes.OK:
        raise SelfCheckError(f"/ocr answered {answer.status_code}: {answer.text}")
    if answer.http_version != "HTTP/2":
        raise SelfCheckError(f"/ocr answered over {answer.http_version}, not HTTP/2")
    read, expected = plain(answer.json()["text"]), plain(EXPECTED.read_text(encoding="utf-8"))
    likeness = difflib.SequenceMatcher(None, read, expected, autojunk=False).ratio()
    if likeness < LIKENESS:
        raise SelfCheckError(
            f"only {likeness:.0%} of the receipt was read:\n{answer.json()['text']}"
        )


def plain(text: str) -> str:
    """Return `text` without what no reader can be held to: white space, case, width."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def address_of(settings: Settings) -> tuple[str, int]:
    """Return host and port at which this machine reaches the service."""
    address = settings.server.bind[0]
    host, port = bind_host(address), int(address.rpartition(":")[2].lstrip("/"))
    if host == "fd":  # a socket somebody else opened; its owner knows where
        with socket.socket(fileno=os.dup(port)) as inherited:
            host, port = inherited.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - compared


def url_of(settings: Settings, *, development: bool) -> str:
    """Return the URL whose name the certificate is for."""
    if not development:
        return settings.plain_port.origin
    host, port = address_of(settings)
    return f"https://{'localhost' if is_loopback(settings.server.bind[0]) else host}:{port}"


def key_for_self_check(settings: Settings, settings_file: Path) -> str | None:
    """Return the development key, or the one of the operator's that SEALED_OCR_KEY holds."""
    if settings.keys:
        return os.environ.get("SEALED_OCR_KEY")
    return (settings_file.resolve().parent / ".dev" / "key").read_text(encoding="ascii").strip()


def fail(error: Exception) -> int:
    """Say what went wrong; return the exit status."""
    print(f"\nThe self-check failed: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
