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

from scripts.self_check import SelfCheckError, self_check
from scripts.self_check_client import NoResponse
from settings import Settings, load_settings, settings_path
from tls.certificates import CertificateError


def main() -> int:
    """Serve until the service ends; return the exit status."""
    parser = argparse.ArgumentParser(prog="serve", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the self-check")
    parser.add_argument("--check", action="store_true", help="check the settings, and do not start")
    arguments = parser.parse_args()
    once, check_only = arguments.once, arguments.check
    os.chdir(ROOT)
    settings_file = settings_path()
    # In a process of its own, since it imports what the service imports.
    checked = subprocess.call([sys.executable, "-m", "service.check", "--start"])
    if check_only or checked != 0:
        return checked
    settings = load_settings(settings_file)
    hypercorn = Path(sys.executable).with_name("hypercorn")
    service = subprocess.Popen([hypercorn, "--config", str(settings_file), "app:app"])
    forward_signals(service)
    try:
        if reason := no_self_check(settings):
            print(f"\nServing, without a self-check: {reason}.", flush=True)
        else:
            self_check(service, settings, settings_file)
    except (SelfCheckError, NoResponse, CertificateError, HTTPException, OSError) as error:
        if service.poll() is None:
            service.terminate()
        return service.wait() or fail(error)
    if once:
        service.terminate()
    return service.wait()


def forward_signals(service: subprocess.Popen[bytes]) -> None:
    """Forward SIGINT, SIGTERM and SIGHUP to the service.

    A terminal that closes sends SIGHUP, on which the service would reload and keep running unseen:
    it gets SIGTERM instead, unless nohup, which ignores SIGHUP, asks for exactly that.
    """
    ends_with_terminal = (
        has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.Handlers.SIG_IGN
    )
    hangup = signal.SIGTERM if ends_with_terminal else signal.SIGHUP
    forwarded: dict[int, int] = {
        signal.SIGINT: signal.SIGINT,
        signal.SIGTERM: signal.SIGTERM,
        signal.SIGHUP: hangup,
    }
    for number in forwarded:
        signal.signal(number, lambda received, _frame: service.send_signal(forwarded[received]))


def has_terminal() -> bool:
    """Return whether there is a controlling terminal, even if input and output are redirected."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def no_self_check(settings: Settings) -> str | None:
    """Return why the self-check is not possible; None if it is."""
    if settings.tls.client_certificates == "required":
        return "clients need a certificate, and this program has none"
    return None


def fail(error: Exception) -> int:
    """Print the error; return the exit status."""
    print(f"\nThe self-check failed: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
