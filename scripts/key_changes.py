"""The commands that change [[keys]] entries."""

import argparse
import hashlib
import os
import sys
from datetime import UTC, datetime
from typing import Any

from middleware.key_format import key_id_of, new_key, new_key_id
from scripts import key_text
from scripts.key_certificate import certificate
from scripts.key_file import KeyFile
from scripts.key_notes import of_new, of_removed, of_rotated
from scripts.key_state import overlap_end
from settings import ApiKey, Settings, SettingsError, examine


class Refused(Exception):
    """What was asked for is not done; the message says why, and what to do instead."""


def new(arguments: argparse.Namespace, file: KeyFile) -> int:
    """Write the entry of a new key, then print the key."""
    if arguments.certificate is None and (arguments.pin or arguments.no_key):
        raise Refused("--pin and --no-key require --certificate")
    paths = [path for path, _ in arguments.limit]
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        raise Refused(f"--limit names {twice} twice; a key has one limit for each path")
    token = new_key(new_key_id())
    entry = _entry(arguments, token)
    try:
        settings = file.edit(lambda text: key_text.added(text, file.path.name, entry), os.environ)
    except SettingsError as error:  # of a mistake in the entry, what follows its id
        place = f"[[keys]] {entry['id']}"
        lines = [line.rpartition(place)[2].lstrip(": ") for line in str(error).splitlines()]
        raise SettingsError("\n".join(lines)) from None
    _say(f"{entry['id']} ({arguments.name}) is in {file.path}.")
    for note in of_new(settings, entry):
        _say(f"Note: {note}")
    if not arguments.no_key:
        _print_key(token, file)
    return 0


def rotate(arguments: argparse.Namespace, file: KeyFile) -> int:
    """Give an entry a new key; the old one stays valid for a while."""
    now = datetime.now(UTC).replace(microsecond=0)
    found: list[tuple[ApiKey, str]] = []

    def change(text: str) -> str:
        key, index = _find(arguments, file, text)
        if not key.sha256:
            raise Refused(f"{key.id} ({key.name}) has no key, only a certificate: renew that")
        found.append((key, new_key(key.id)))
        values: dict[str, Any] = {
            "sha256": _digest(found[0][1]),
            "previous_sha256": key.sha256 if arguments.overlap else None,
            "previous_expires": now + arguments.overlap if arguments.overlap else None,
        }
        if arguments.expires:
            values["expires"] = arguments.expires
        return key_text.changed(text, file.path.name, index, values)

    def confirm(settings: Settings) -> None:
        [(key, token)] = found
        if _digest(token) not in {each.sha256 for each in settings.keys}:
            raise Refused(_elsewhere(key.id, file, arguments, "has its sha256 in another source"))

    settings = file.edit(change, os.environ, confirm)
    [(key, token)] = found
    until = next(overlap_end(each) for each in settings.keys if each.id == key.id)
    for note in of_rotated(key, now, until, arguments.expires):
        _say(note)
    _print_key(token, file)
    return 0


def revoke(arguments: argparse.Namespace, file: KeyFile) -> int:
    """Remove an entry, or only its previous key."""
    found: list[ApiKey] = []

    def change(text: str) -> str:
        key, index = _find(arguments, file, text)
        found.append(key)
        if not arguments.previous:
            return key_text.removed(text, file.path.name, index)
        if not key.previous_sha256:
            raise Refused(f"{key.id} ({key.name}) has no previous key")
        none = dict.fromkeys(("previous_sha256", "previous_expires"))
        return key_text.changed(text, file.path.name, index, none)

    before = file.settings(os.environ)
    try:
        after = file.edit(change, os.environ)
    except SettingsError:
        if len(before.keys) == 1 and before.reachable_by:
            raise Refused(
                f"{found[0].id} is the last key, and {before.reachable_by[0]} is reachable from "
                "other machines: without [[keys]] the service would not load the settings, and the "
                "key would stay valid. Make another one first (scripts/keys new NAME), or replace "
                f"the key now: scripts/keys rotate {found[0].id} --overlap 0"
            ) from None
        raise
    key = found[0]
    left = next((each for each in after.keys if each.id == key.id), None)
    if left is not None and (not arguments.previous or left.previous_sha256):
        _say(_elsewhere(key.id, file, arguments, "is removed here, and still valid by another"))
        return 1
    _say(of_removed(key, after, previous=arguments.previous))
    return 0


def _entry(arguments: argparse.Namespace, token: str) -> dict[str, Any]:
    values = {
        "id": token.split("_")[1],
        "name": arguments.name,
        "sha256": None if arguments.no_key else _digest(token),
        **(certificate(arguments.certificate, pin=arguments.pin) if arguments.certificate else {}),
        "scopes": arguments.scope or ["ocr"],
        "functions": arguments.function,
        "limits": dict(arguments.limit) or None,
        "concurrent": arguments.concurrent,
        "pages_per_day": arguments.pages_per_day,
        "pages_per_month": arguments.pages_per_month,
        "networks": arguments.network,
        "not_before": arguments.not_before,
        "expires": arguments.expires,
    }
    return {name: value for name, value in values.items() if value is not None}


def _find(arguments: argparse.Namespace, file: KeyFile, text: str) -> tuple[ApiKey, int]:
    """Return the key that the command names, and the index of its entry in the file.

    Raises:
        Refused: there is none or more than one, or its entry is in another file.
        SettingsError: the settings are invalid.

    """
    keys = file.settings(os.environ).keys
    same = [key for key in keys if key.id == arguments.key]
    same = same or [key for key in keys if key.name == arguments.key]
    if not same:
        key_id = key_id_of(arguments.key)  # of a whole key: that is not repeated
        named = f"{arguments.key!r}; see scripts/keys list"
        raise Refused(
            f"no [[keys]] entry has the id or name {named}"
            if key_id is None
            else f"a key was given instead of its id, {key_id}; it is in the shell's history now"
        )
    if len(same) > 1:
        same_name = ", ".join(key.id for key in same)
        raise Refused(
            f"{len(same)} entries have the name {arguments.key!r}; name one by id: {same_name}"
        )
    ids = [entry.get("id") for entry in key_text.entries_of(text, file.path.name)]
    if same[0].id not in ids:
        raise Refused(_elsewhere(same[0].id, file, arguments, f"is not in {file.path}"))
    return same[0], ids.index(same[0].id)


def _elsewhere(key_id: str, file: KeyFile, arguments: argparse.Namespace, said: str) -> str:
    """Return where else an entry is, and the command for it."""
    holders = examine(file.main, os.environ).origins.holders("keys", key_id)
    files = {each.name: each for each in (file.main, file.main.with_name("settings.local.toml"))}
    others = [each for each in holders if each.partition(":")[0] != file.path.name]
    lines = [f"{key_id} {said}:"]
    for place in others:
        path = files.get(place.partition(":")[0])
        command = f"scripts/keys {arguments.command} {key_id} --file {path}"
        lines.append(f"{place}: {command if path else 'change it there, this command cannot'}")
    return "\n  ".join(lines)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _print_key(token: str, file: KeyFile) -> None:
    """Print the key alone on standard output.

    Raises:
        Refused: nothing could be printed; the entry is written.

    """
    why = "standard output is closed"
    if sys.stdout is not None:
        if sys.stdout.isatty():
            _say("The key, shown only once; send it to the caller over a secure channel:\n")
        try:
            print(token, flush=True)
        except OSError as error:
            why = error.strerror or type(error).__name__
            # Python tries it again at the exit, with a message and a status of its own.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        else:
            return
    key_id = token.split("_")[1]
    raise Refused(
        f"the entry {key_id} is in {file.path}, but its key could not be printed ({why}), and "
        f"nobody has it: scripts/keys rotate {key_id} --overlap 0"
    )


def _say(text: str) -> None:
    """Print what is not the key."""
    print(text, file=sys.stderr, flush=True)
