"""Start the service as `hypercorn --config settings.toml app:app`, then run the self-check."""

import argparse
import os
import signal
import subprocess
import sys
from http.client import HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.addresses import listens
from scripts.self_check import SelfCheckError, self_check
from scripts.self_check_client import NoResponse
from settings import Settings, SettingsError, load_settings, settings_path
from settings.server import bind_host
from tls.certificates import CertificateError


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
    except (SelfCheckError, NoResponse, CertificateError, HTTPException, OSError) as error:
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


def fail(error: Exception) -> int:
    """Say what went wrong; return the exit status."""
    print(f"\nThe self-check failed: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
