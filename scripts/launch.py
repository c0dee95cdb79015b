"""Start the service as `hypercorn --config settings.toml app:app`, then run the self-check."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

# Ctrl-C ends this program without a traceback until it has a service to stop.
signal.signal(signal.SIGINT, signal.SIG_DFL)
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.banner import banner
from scripts.self_check import SelfCheck, SelfCheckError
from scripts.self_check_sender import CannotCheck
from scripts.service_process import ServiceProcess, child, say
from service.log_text import printable
from settings import load_settings, settings_path


def main() -> int:
    """Serve until the service ends; return the exit status."""
    arguments = _arguments()
    os.chdir(ROOT)
    settings_file = settings_path()
    # In a process of its own, since it imports what the service imports.
    checked = subprocess.run(
        [sys.executable, "-m", "service.check", "--start"]
        + ([] if arguments.check else ["--no-warnings"]),
        preexec_fn=child(os.getpid()),
        check=False,
    ).returncode
    if arguments.check or checked != 0:
        return checked
    if os.geteuid() == 0:
        say("Warning: running as root; create a user for the service, see docs/production.md.\n")
    settings = load_settings(settings_file)
    service = ServiceProcess(
        [Path(sys.executable).with_name("hypercorn"), "--config", str(settings_file), "app:app"],
        stopping=(
            "\nStopping: requests in progress have up to "
            f"{settings.server.graceful_timeout:g} s to finish.\n"
        ),
    )
    check = SelfCheck(settings, settings_file, arguments.ca)
    problem = _self_check(check, service)
    if service.told_to_stop:
        return _ended(service)
    if isinstance(problem, SelfCheckError):
        return service.stop() or 1
    if arguments.once:
        return service.stop() or (1 if problem else 0)
    print("\n".join(banner(settings, settings_file, check)), flush=True)
    return _ended(service)


def _self_check(check: SelfCheck, service: ServiceProcess) -> CannotCheck | SelfCheckError | None:
    """Run the self-check and print what came of it; return the problem."""
    try:
        print(f"\n{_printable_lines(check.run(service.process))}\n", flush=True)
    except (CannotCheck, SelfCheckError) as problem:
        failed = isinstance(problem, SelfCheckError)
        if not service.told_to_stop:
            word = "The self-check failed" if failed else "Warning: no self-check"
            said = _printable_lines(str(problem))
            print(f"\n{word}: {said}\n", file=sys.stderr, flush=True)
        return problem
    return None


def _printable_lines(text: str) -> str:
    """Return a text for a terminal: what responded on the port has written some of it."""
    return "\n".join(map(printable, text.split("\n")))


def _ended(service: ServiceProcess) -> int:
    """Wait until the service has ended; return its exit status."""
    status = service.wait()
    say("Sealed OCR has stopped.\n")
    return status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="serve", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the self-check")
    parser.add_argument("--check", action="store_true", help="check the settings, and do not start")
    parser.add_argument(
        "--ca",
        type=_file,
        metavar="FILE",
        help="also trust these CA certificates in the self-check",
    )
    return parser.parse_args()


def _file(name: str) -> Path:
    """Return an absolute path of a file that exists."""
    path = Path(name).resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{name} is not a file")
    return path


if __name__ == "__main__":
    sys.exit(main())
