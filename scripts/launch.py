"""Start the service as `hypercorn --config settings.toml app:app`, then use it once, as a caller.

The self-check reads examples/receipt.png through the service's own port: over HTTP/2, with the
certificate verified and the key, so that what it prints has passed through the whole envelope.
"""

import argparse
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
from settings.server import bind_host, is_loopback_bind
from settings.tables import UNIX
from tls.certificates import CertificateError, is_development

RECEIPT = ROOT / "examples" / "receipt.png"
EXPECTED = ROOT / "examples" / "receipt.txt"
PROXY_WORDS = {
    "forwarded": {"Forwarded": "for=127.0.0.1;proto=https"},
    "x-forwarded": {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"},
}
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
    pass_signals_on(service)
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


def pass_signals_on(service: subprocess.Popen[bytes]) -> None:
    """Let the service end, or take up its settings, when this program is told to.

    A terminal that closes says SIGHUP, which is "reload" to the service: it would go on without a
    terminal, and nobody would see it. nohup, which has SIGHUP ignored, asks for just that.
    """
    goes_with_terminal = (
        has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.Handlers.SIG_IGN
    )
    hangup = signal.SIGTERM if goes_with_terminal else signal.SIGHUP
    told: dict[int, int] = {
        signal.SIGINT: signal.SIGINT,
        signal.SIGTERM: signal.SIGTERM,
        signal.SIGHUP: hangup,
    }
    for number in told:
        signal.signal(number, lambda received, _frame: service.send_signal(told[received]))


def has_terminal() -> bool:
    """Whether there is a controlling terminal, wherever input and output go."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def port_taken(settings: Settings) -> str | None:
    """Return the first address that something listens at already: Hypercorn shows a traceback."""
    for address in (*settings.server.bind, *settings.server.insecure_bind):
        if bind_host(address) != "fd" and not address.endswith(":0") and listens(address):
            return address
    return None


def not_checked(settings: Settings) -> str | None:
    """Return why a reading cannot be asked for from here, if it can't."""
    if settings.tls.client_certificates == "required":
        return "clients need a certificate, and it has none"
    return None


def listens(address: str) -> bool:
    """Whether somebody answers at one of the addresses that are bound to."""
    try:
        if bind_host(address) == UNIX:
            with socket.socket(socket.AF_UNIX) as one:
                one.connect(address.removeprefix("unix:"))
        else:
            socket.create_connection(host_and_port(address), timeout=1).close()
    except OSError:
        return False
    return True


def self_check(service: subprocess.Popen[bytes], settings: Settings, settings_file: Path) -> None:
    """Read the receipt and print what came back.

    Raises:
        SelfCheckError: the service stopped, answered something else, or read something else.

    """
    certificate = Path(settings.server.certfile or "certificate.pem")
    wait_until_listening(service, settings)
    development = settings.server.has_tls and is_development(certificate)
    authority = certificate.with_name("ca.pem")
    url = url_of(settings, development=development)
    way = "and TLS" if settings.server.has_tls else "as a proxy asks"
    key = key_for_self_check(settings, settings_file)
    with client_of(settings, url, authority if development else None) as client:
        if key is None:
            ready = wait_until_ready(client)
            print(
                f"\nServing {url}: ready over {ready.http_version} {way}, nothing read. "
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
    check(answer, "HTTP/2" if settings.server.has_tls else "HTTP/1.1")
    reading = answer.json()
    times = reading["timing_ms"]
    print(f"\n{reading['text']}\n")
    print(
        f"Read {RECEIPT.relative_to(ROOT)} over {answer.http_version} {way} in "
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


def client_of(settings: Settings, url: str, authority: Path | None) -> httpx2.Client:
    """Return a client: over HTTP/2 and TLS, or with a proxy's words where TLS is the proxy's."""
    server = settings.server
    if server.has_tls:
        trust = ssl.create_default_context(cafile=authority)
        return httpx2.Client(http2=True, verify=trust, base_url=url, timeout=PATIENCE_S)
    address = server.bind[0]
    transport = None
    url = "http://localhost"
    if bind_host(address) == UNIX:
        transport = httpx2.HTTPTransport(uds=address.removeprefix("unix:"))
    else:
        host, port = host_and_port(address)
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    words = PROXY_WORDS[settings.proxy.header]
    return httpx2.Client(transport=transport, base_url=url, headers=words, timeout=PATIENCE_S)


def wait_until_listening(service: subprocess.Popen[bytes], settings: Settings) -> None:
    """Knock at the port until it opens: what the service makes at its start is there then.

    Raises:
        SelfCheckError: the service ended, or nothing answered in time.

    """
    due = time.monotonic() + PATIENCE_S
    while time.monotonic() < due:
        if service.poll() is not None:
            raise SelfCheckError("the service ended before it served")
        if listens(settings.server.bind[0]):
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


def check(answer: httpx2.Response, protocol: str) -> None:
    """Compare the answer with what the receipt says.

    Raises:
        SelfCheckError: the status, the protocol or the text is another.

    """
    if answer.status_code != httpx2.codes.OK:
        raise SelfCheckError(f"/ocr answered {answer.status_code}: {answer.text}")
    if answer.http_version != protocol:
        raise SelfCheckError(f"/ocr answered over {answer.http_version}, not {protocol}")
    read, expected = plain(answer.json()["text"]), plain(EXPECTED.read_text(encoding="utf-8"))
    likeness = difflib.SequenceMatcher(None, read, expected, autojunk=False).ratio()
    if likeness < LIKENESS:
        raise SelfCheckError(
            f"only {likeness:.0%} of the receipt was read:\n{answer.json()['text']}"
        )


def plain(text: str) -> str:
    """Return `text` without what no reader can be held to: white space, case, width."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def host_and_port(address: str) -> tuple[str, int]:
    """Return where this machine reaches what is bound to an address."""
    host, port = bind_host(address), int(address.rpartition(":")[2].lstrip("/"))
    if host == "fd":  # a socket somebody else opened; its owner knows where
        with socket.socket(fileno=os.dup(port)) as inherited:
            host, port = inherited.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - compared


def url_of(settings: Settings, *, development: bool) -> str:
    """Return the URL whose name the certificate is for."""
    if not development:
        return settings.plain_port.origin
    host, port = host_and_port(settings.server.bind[0])
    return f"https://{'localhost' if is_loopback_bind(settings.server.bind[0]) else host}:{port}"


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
