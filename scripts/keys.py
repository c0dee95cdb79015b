"""Make, list, rotate, revoke and check API keys: the [[keys]] entries of the settings.

A key itself is printed once, alone on standard output, and is stored nowhere; its entry has the
SHA-256 of it. A running service applies a change within a second, without a restart.
"""

import argparse
import getpass
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import key_check, key_list
from scripts.key_arguments import parser_of
from scripts.key_certificate import CertificateUnusable
from scripts.key_changes import Refused, new, revoke, rotate
from scripts.key_file import FileUnusable, KeyFile
from settings import Examination, SettingsError, examine

INVALID = 1
NO_TEXT = "?"


def main() -> None:
    """Do what the command line says."""
    parser = parser_of(__doc__)
    arguments, unexpected = parser.parse_known_args()
    if unexpected:  # perhaps a key: it is not repeated
        parser.error(
            f"{arguments.command} has no such argument: keys {arguments.command} --help lists them"
            + ("; the key is typed or piped in" if arguments.command == "check" else "")
        )
    try:
        file = KeyFile.of(arguments.file, os.environ)
        sys.exit(COMMANDS[arguments.command](arguments, file))
    except (SettingsError, FileUnusable, CertificateUnusable, Refused) as error:
        print(f"keys {arguments.command}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def show(arguments: argparse.Namespace, file: KeyFile) -> int:
    """List all keys."""
    found = _examined(file)
    keys = found.settings.keys
    if arguments.json:
        print(key_list.as_json(keys, found.origins))
    elif keys:
        print(key_list.as_table(keys, found.origins))
    else:
        print("There are no [[keys]]: the development key (.dev/key) is valid from "
              "this machine only. scripts/keys new NAME makes the first one.",
              file=sys.stderr)  # fmt: skip
    return 0


def check(_arguments: argparse.Namespace, file: KeyFile) -> int:
    """Say whose key was entered, and whether it is valid: an argument would be in the history."""
    found = _examined(file)
    try:
        key = getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()
    except EOFError:
        key = ""
    except UnicodeDecodeError:
        key = NO_TEXT
    valid, lines = key_check.verdict(key.strip(), found.settings, found.origins)
    print("\n".join(lines))
    return 0 if valid else INVALID


def _examined(file: KeyFile) -> Examination:
    """Return the settings and their sources.

    Raises:
        SettingsError: they are invalid.

    """
    found = examine(file.main, os.environ)
    if found.mistakes:
        raise SettingsError("\n".join(found.mistakes))
    return found


COMMANDS = {"new": new, "list": show, "rotate": rotate, "revoke": revoke, "check": check}


if __name__ == "__main__":
    main()
