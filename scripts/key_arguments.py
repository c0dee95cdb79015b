"""The command line of scripts/keys."""

import argparse
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from scripts.time_argument import duration_of

MANY = "may be repeated"


def duration(text: str) -> timedelta:
    """Return the duration that a text such as 12h, 7d or 52w is; 0 is none.

    Raises:
        argparse.ArgumentTypeError: it is not one.

    """
    found = timedelta() if text == "0" else duration_of(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 12h, 7d or 52w, or 0")
    return found


def moment(text: str) -> date:
    """Return the time of a date, a date with a time, or a duration from now, such as 90d.

    Raises:
        argparse.ArgumentTypeError: it is none of them.

    """
    if re.fullmatch(r"[1-9]\d{0,4}[hdw]", text):
        return datetime.now(UTC).replace(microsecond=0) + duration(text)
    for kind in (date, datetime):
        try:
            found = kind.fromisoformat(text)
        except ValueError:
            continue
        if not isinstance(found, datetime) or found.tzinfo is not None:
            return found
    raise argparse.ArgumentTypeError(
        f"{text!r} is neither a date such as 2027-12-31, nor a time with its zone such as "
        "2027-12-31T18:00:00Z, nor a duration such as 12h, 90d or 52w"
    )


def expiry(text: str) -> date:
    """Return a moment that has not passed.

    Raises:
        argparse.ArgumentTypeError: it has, or is none.

    """
    found = moment(text)
    day = found.date() if isinstance(found, datetime) else found
    now = datetime.now(UTC)
    if day < now.date() or (found <= now if isinstance(found, datetime) else day == now.date()):
        raise argparse.ArgumentTypeError(f"{text} has passed: the key would never be valid")
    return found


def limit(text: str) -> tuple[str, str]:
    """Return the path and the rate limit of an argument.

    Raises:
        argparse.ArgumentTypeError: it has not the form PATH=LIMIT.

    """
    path, equals, rate = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not PATH=LIMIT, such as /ocr=120/minute, or '*=600/minute' for all "
            "functions together"
        )
    return path, rate


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="keys", description=description)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, meaning in (
        ("new", "make a key, write its entry, and print it, once"),
        ("list", "show all keys: whether they are valid, and for what"),
        ("rotate", "give a caller a new key; the old one stays valid for a while"),
        ("revoke", "remove a key's entry"),
        ("check", "say whose key it is that is typed or piped in, and whether it is valid"),
    ):
        command = commands.add_parser(name, help=meaning, description=f"{meaning[0].upper()}"
                                      f"{meaning[1:]}.")  # fmt: skip
        command.add_argument(
            "--file",
            type=Path,
            help="the settings file with the entries (default: settings.local.toml beside the "
            "settings.toml that OCR_SETTINGS names)",
        )
        {"new": _new, "rotate": _rotate, "revoke": _revoke, "list": _list}.get(
            name, lambda _command: None
        )(command)
    return parser


def _new(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", help="the caller's name in the log")
    command.add_argument("--scope", action="append", help=f"default: ocr; {MANY}")
    command.add_argument("--function", action="append", metavar="PATH",
                         help=f"only this function of its scopes; {MANY}")  # fmt: skip
    command.add_argument(
        "--limit",
        type=limit,
        action="append",
        default=[],
        metavar="PATH=LIMIT",
        help=f"a rate limit for a function, or for all together: '*=600/minute'; {MANY}",
    )
    for option, meaning in (
        ("--concurrent", "requests at the same time"),
        ("--pages-per-day", "pages a day, in UTC"),
        ("--pages-per-month", "pages a calendar month, in UTC"),
    ):
        command.add_argument(option, type=int, metavar="N", help=f"{meaning}; 0: no limit")
    command.add_argument("--network", action="append", metavar="CIDR",
                         help=f"valid only from there, such as 10.1.0.0/16; {MANY}")  # fmt: skip
    when = "a date, a time with its zone, or a duration such as 90d"
    command.add_argument("--not-before", type=moment, metavar="WHEN", help=f"{when}: valid from")
    command.add_argument("--expires", type=expiry, metavar="WHEN", help=f"{when} (default: never)")
    command.add_argument("--certificate", type=Path, metavar="FILE",
                         help="a client certificate (PEM) that the caller needs, too")  # fmt: skip
    command.add_argument("--pin", action="store_true",
                         help="exactly this certificate, not one of the same subject")  # fmt: skip
    command.add_argument("--no-key", action="store_true", help="the certificate alone")


def _rotate(command: argparse.ArgumentParser) -> None:
    _which(command)
    command.add_argument(
        "--overlap",
        type=duration,
        default=timedelta(days=7),
        metavar="DURATION",
        help="how long the old key stays valid: 12h, 7d, 2w; 0: not at all (default: 7d)",
    )
    command.add_argument("--expires", type=expiry, metavar="WHEN",
                         help="also change when the entry expires")  # fmt: skip


def _revoke(command: argparse.ArgumentParser) -> None:
    _which(command)
    command.add_argument("--previous", action="store_true",
                         help="only the key before the last rotation")  # fmt: skip


def _list(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="as JSON, with all times")


def _which(command: argparse.ArgumentParser) -> None:
    command.add_argument("key", metavar="ID|NAME", help="the entry's id, or its name")
