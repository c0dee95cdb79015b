"""Verify the audit trail, or search it.

    audit verify                     are the records all there, unchanged, in their order?
    audit show --document FILE       who sent this document?
    audit show --key K --since 7d    what did this key do?
    audit new-key                    print a new key

Directory and key are those of the settings, unless they are given. The exit status of verify is 1
where something is wrong, and 2 where it cannot be verified.
"""

import argparse
import re
import signal
import sys
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from audit.files import UnreadableFile, files_of
from audit.head import Head, NotAHead, head_from
from audit.keys import SHORTEST_KEY, AuditKeys, keys_of, new_secret
from audit.search import LAST, Search, Sought
from audit.verification import Verification, verify
from scripts.audit_table import FORMATS
from scripts.time_argument import time_argument
from settings import Settings, SettingsError, load_settings, settings_path

CANNOT = 2


class CannotLook(Exception):
    """What is needed is missing."""


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    arguments = _parser().parse_args(words)
    try:
        status: int = arguments.run(arguments)
    except (CannotLook, UnreadableFile, OSError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return CANNOT
    return status


def _new_key(_arguments: argparse.Namespace) -> int:
    print(new_secret())
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    directory = _directory(arguments)
    found = verify(
        directory, _keys(arguments), starts=dict(arguments.starts), anchors=arguments.head
    )
    for error in found.errors:
        print(f"WRONG: {error}", file=sys.stderr)
    for note in found.notes:
        print(f"note: {note}")
    print(_summary(directory, found))
    return 1 if found.errors or not found.records else 0


def _summary(directory: Path, found: Verification) -> str:
    if not found.records:
        return f"{directory}: no records"
    verdict = "not in order" if found.errors else "in order"
    return (
        f"{directory}: {verdict}: {_counted(found.records, 'record')} in "
        f"{_counted(found.files, 'file')}, {_counted(found.chains, 'chain')}, from "
        f"{found.first_at} to {found.last_at}"
    )


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _show(arguments: argparse.Namespace) -> int:
    document = None
    if arguments.document is not None:
        document = _keys(arguments).hash_of(arguments.document.read_bytes())
    search = Search(
        Sought(
            key=arguments.key,
            function=arguments.function,
            network=arguments.address,
            document=document,
            since=arguments.since or "",
            until=arguments.until or LAST,
        )
    )
    FORMATS[arguments.format](search.requests(files_of(_directory(arguments))))
    if not search.found:
        print("No recorded request matches.", file=sys.stderr)
    if search.skipped:
        print(f"{search.skipped} lines are no records and were skipped", file=sys.stderr)
    return 0


def _settings(arguments: argparse.Namespace) -> Settings:
    try:
        return load_settings(arguments.config)
    except SettingsError as error:
        raise CannotLook(f"the settings cannot be read; name directory and key: {error}") from error


def _directory(arguments: argparse.Namespace) -> Path:
    directory: Path | None = arguments.directory
    if directory is None:
        named = _settings(arguments).audit.directory
        if not named:
            raise CannotLook("[audit] directory is empty in the settings; name a DIRECTORY")
        directory = arguments.config.resolve().parent / named
    if not directory.is_dir():
        raise CannotLook(f"{directory} is not a directory")
    return directory


def _keys(arguments: argparse.Namespace) -> AuditKeys:
    if arguments.key_file is not None:
        secret = arguments.key_file.read_text("utf-8").strip()
    else:
        secret = _settings(arguments).audit.secret
    if len(secret) < SHORTEST_KEY:
        raise CannotLook(
            "the key is missing or too short: set OCR_SECRETS_DIR as the service has it, or name "
            "the file with --key-file"
        )
    return keys_of(secret)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no address or network") from None


def _head(text: str) -> Head:
    try:
        return head_from(text)
    except NotAHead as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _start(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9}):(\d{1,18})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not CHAIN:SEQ, such as 1:501")
    return int(match[1]), int(match[2])


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("directory", nargs="?", type=Path, metavar="DIRECTORY")
    shared.add_argument("--config", type=Path, default=settings_path(), metavar="SETTINGS")
    shared.add_argument("--key-file", type=Path, metavar="FILE", help="a file with the key")
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="audit", description=__doc__, formatter_class=raw)
    commands = parser.add_subparsers(required=True, metavar="verify|show|new-key")
    checks = commands.add_parser("verify", parents=[shared], help="check all records")
    checks.set_defaults(run=_verify)
    said = "verify that this record is there, by an audit_head line of the log; repeatable"
    checks.add_argument(
        "--head", type=_head, action="append", default=[], metavar="CHAIN:SEQ:MAC", help=said
    )
    said = "the first record that is to be there, where older files were moved; repeatable"
    checks.add_argument(
        "--from", dest="starts", type=_start, action="append", default=[], metavar="CHAIN:SEQ",
        help=said,
    )  # fmt: skip
    shows = commands.add_parser("show", parents=[shared], help="search the records")
    shows.set_defaults(run=_show)
    shows.add_argument("--key", metavar="K", help="a key's name or id")
    shows.add_argument("--since", type=time_argument, metavar="T", help="2027-01-31, 7d, ...")
    shows.add_argument("--until", type=time_argument, metavar="T", help="likewise")
    shows.add_argument("--function", metavar="PATH", help="such as /ocr")
    shows.add_argument("--address", type=_network, metavar="A", help="an address or a network")
    shows.add_argument("--document", type=Path, metavar="FILE", help="requests with this file")
    shows.add_argument("--format", choices=FORMATS, default="table")
    makes = commands.add_parser("new-key", help="print a new key")
    makes.set_defaults(run=_new_key)
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it silently
    sys.exit(main())
