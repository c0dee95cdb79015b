"""Check everything that a start checks, and print all mistakes: `python -m service.check`."""

import argparse
import os
import sys
from pathlib import Path

from service.bind_addresses import bind_problem
from settings import Settings, SettingsError, load_settings, settings_path


def main() -> int:
    """Print the mistakes, one per line; return 0 without any, otherwise 1."""
    parser = argparse.ArgumentParser(
        prog="check", description="Check the settings and all that they name, as a start would."
    )
    parser.add_argument("--config", type=Path, default=settings_path(), metavar="FILE")
    parser.add_argument(
        "--start", action="store_true", help="a port that the running service holds is a mistake"
    )
    arguments = parser.parse_args()
    mistakes, notes = check(arguments.config, starting=arguments.start)
    if mistakes and arguments.start:
        sys.stderr.write("Sealed OCR does not start:\n")
    for line in [*mistakes, *notes]:
        (sys.stderr if mistakes else sys.stdout).write(f"{line}\n")
    return 1 if mistakes else 0


def check(settings_file: Path, *, starting: bool) -> tuple[list[str], list[str]]:
    """Return the mistakes, and the notes; unless `starting`, the service may be running."""
    try:
        settings = load_settings(settings_file, os.environ)
    except SettingsError as error:
        return str(error).splitlines(), []
    mistakes, notes = [], []
    for key, address, problem, own in _bind_problems(settings, settings_file):
        if own and not starting:
            notes.append(f"{key} {address}: the service is running ({problem})")
        else:
            mistakes.append(f"{settings_file.name}: {key}: {address} {problem}")
    return mistakes, notes


def _bind_problems(settings: Settings, settings_file: Path) -> list[tuple[str, str, str, bool]]:
    found = []
    for key in ("bind", "insecure_bind"):
        for address in getattr(settings.server, key):
            problem = bind_problem(address)
            if problem is not None:
                own = problem.holder is not None and problem.holder.serves(settings_file)
                found.append((key, address, problem.text, own))
    return found


if __name__ == "__main__":
    sys.exit(main())
