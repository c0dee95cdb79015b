"""Check everything that a start checks, and print all mistakes: `python -m service.check`."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from service.bind_addresses import BindProblem, bind_problem
from service.sockets import check_inherited
from service.start_checks import NO_START, mistakes
from service.start_refused import StartRefused
from settings import Examination, examine, settings_path
from settings.advice import public_origin_advice


@dataclass(frozen=True, slots=True)
class Report:
    """What a check has found: mistakes, which a start would end with, and notes."""

    mistakes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def print(self, *, starting: bool, notes: bool = True) -> int:
        """Print it; return the exit status, 0 without mistakes."""
        if self.mistakes and starting:
            sys.stderr.write(f"{NO_START}\n")
        lines = [*self.mistakes, *(self.notes if notes else [])]
        sys.stderr.writelines(f"{line}\n" for line in lines)
        return 1 if self.mistakes else 0


def main() -> int:
    """Check, print, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="check", description="Check the settings and all that they name, as a start would."
    )
    parser.add_argument("--config", type=Path, default=settings_path(), metavar="FILE")
    parser.add_argument(
        "--start", action="store_true", help="a port that the running service holds is a mistake"
    )
    parser.add_argument(
        "--no-warnings", action="store_true", help="leave out what the start after this one logs"
    )
    arguments = parser.parse_args()
    report = check(arguments.config, starting=arguments.start)
    status = report.print(starting=arguments.start, notes=not arguments.no_warnings)
    if status == 0 and not arguments.start:
        sys.stdout.write(f"{arguments.config}: no mistakes\n")
    return status


def check(settings_file: Path, *, starting: bool, inherits: bool = False) -> Report:
    """Check the settings and all that they name; nothing is made or changed.

    Unless `starting`, a port that this very service holds is no mistake. Only a process that
    `inherits` the service's sockets (`fd://N`) can check those.
    """
    examination = examine(settings_file)
    report = Report(mistakes(examination, settings_file))
    if "server" in examination.valid:
        _check_addresses(report, examination, settings_file, starting=starting, inherits=inherits)
    if {"server", "plain_port", "proxy"} <= examination.valid:
        advice = public_origin_advice(examination.settings)
        if advice is not None:
            place = examination.origins.where(("plain_port", "public_origin"))
            report.notes.append(f"Warning: {place}: {advice}")
    return report


def _check_addresses(
    report: Report,
    examination: Examination,
    settings_file: Path,
    *,
    starting: bool,
    inherits: bool,
) -> None:
    for key, address, problem in _bind_problems(examination, inherits=inherits):
        place = examination.origins.where(("server", key))
        own = problem.holder is not None and problem.holder.serves(settings_file)
        if own and not starting:
            report.notes.append(f"Note: {place}: {key}: {address}: the service is running")
        else:
            report.mistakes.append(f"{place}: {key}: {address}: {problem.text}")
    proxy, server = examination.settings.proxy, examination.settings.server
    if inherits and "proxy" in examination.valid and not server.has_tls:
        try:
            check_inherited(server.bind, trusts_unix=proxy.trusts_unix, trusts=proxy.trusts)
        except StartRefused as refusal:
            report.mistakes.append(refusal.describe(examination.origins))


def _bind_problems(
    examination: Examination, *, inherits: bool
) -> Iterator[tuple[str, str, BindProblem]]:
    for key in ("bind", "insecure_bind"):
        for address in getattr(examination.settings.server, key):
            if address.startswith("fd://") and not inherits:
                continue
            problem = bind_problem(address)
            if problem is not None:
                yield key, address, problem


if __name__ == "__main__":
    sys.exit(main())
