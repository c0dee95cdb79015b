"""Print a new API key, once, and its `[[keys]]` entry, which has only the SHA-256 of the key.

The entry goes to standard output, the key and all else to standard error, so that
`scripts/new-key NAME >> settings.local.toml` shows the key and stores the entry. With --certificate
the caller has to present that certificate too, with --no-key only that.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from limits import parse as parse_limit

from middleware.key_format import new_key, new_key_id
from settings import Settings, SettingsError, load_settings, settings_path

ALL = "*"
ENTRIES = "OCR_KEYS"  # the variable that adds entries to those of the files
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class CertificateUnusable(Exception):
    """The file has no certificate, or one that is not valid for clients."""


def expiry(text: str) -> date:
    """Return the time of a date, or of a duration from now, such as 90d; only a date has no time.

    Raises:
        argparse.ArgumentTypeError: it is neither, or has passed.

    """
    duration = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text)
    if duration:
        return datetime.now(UTC).replace(microsecond=0) + int(duration[1]) * UNITS[duration[2]]
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a date such as 2027-12-31 nor a duration such as 12h, 90d or 52w"
        ) from None
    if found <= datetime.now(UTC).date():
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


def arguments_of(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser.add_argument("name", help="the caller's name in the log")
    parser.add_argument("--scope", action="append", help="a scope of the key (default: ocr)")
    parser.add_argument(
        "--limit",
        type=limit,
        action="append",
        default=[],
        metavar="PATH=LIMIT",
        help="a rate limit of the key for a function, or for all together: '*=600/minute'",
    )
    parser.add_argument(
        "--expires",
        type=expiry,
        metavar="WHEN",
        help="a date, or a duration such as 90d (default: never)",
    )
    parser.add_argument(
        "--certificate",
        type=Path,
        help="PEM file of a client certificate that the caller needs, too",
    )
    parser.add_argument(
        "--pin",
        action="store_true",
        help="require exactly this certificate, not one of the same subject",
    )
    parser.add_argument("--no-key", action="store_true", help="require only the certificate")
    arguments = parser.parse_args()
    if arguments.certificate is None and (arguments.pin or arguments.no_key):
        parser.error("--pin and --no-key require --certificate")
    return arguments


def main() -> None:
    """Create the key and print it with its entry, checked as part of the settings."""
    parser = argparse.ArgumentParser(prog="new-key", description=__doc__)
    arguments = arguments_of(parser)
    token = new_key(new_key_id())
    try:
        entry = {
            "id": token.split("_")[1],
            "name": arguments.name,
            **({} if arguments.no_key else {"sha256": hashlib.sha256(token.encode()).hexdigest()}),
            **certificate(arguments.certificate, pin=arguments.pin),
            "scopes": arguments.scope or ["ocr"],
            **({"limits": dict(arguments.limit)} if arguments.limit else {}),
            **({"expires": arguments.expires} if arguments.expires else {}),
        }
        settings = settings_with(entry)
    except (CertificateUnusable, SettingsError) as error:
        parser.error(str(error))
    if not arguments.no_key:
        say(
            f"The key, shown only once; send it to the caller over a secure channel:\n\n  {token}\n"
        )
    for note in notes(settings, entry):
        say(f"Note: {note}\n")
    say("Its entry, for settings.toml or settings.local.toml; it takes effect without a restart:")
    print("\n[[keys]]")
    for name, value in entry.items():
        print(f"{name} = {toml(value)}", flush=True)


def say(text: str) -> None:
    """Print what is not part of the entry."""
    print(text, file=sys.stderr, flush=True)


def certificate(file: Path | None, *, pin: bool) -> dict[str, str]:
    """Return the fields of an entry that require the certificate in a file.

    Raises:
        CertificateUnusable: the file has none, or one that is not valid for clients.

    """
    if file is None:
        return {}
    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        raise CertificateUnusable(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise CertificateUnusable(f"{file} has no certificate in PEM form: {error}") from None
    with contextlib.suppress(x509.ExtensionNotFound):
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
            raise CertificateUnusable(f"{file} has a certificate that is not valid for clients")
    if pin:
        return {"certificate_sha256": found.fingerprint(hashes.SHA256()).hex()}
    return {"certificate_subject": found.subject.rfc4514_string()}


def toml(value: object) -> str:
    """Return a value as TOML."""
    match value:
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            pairs = [f"{toml(name)} = {toml(each)}" for name, each in value.items()]
            return f"{{ {', '.join(pairs)} }}"
    return json.dumps(value, ensure_ascii=False)


def settings_with(entry: Mapping[str, Any]) -> Settings:
    """Return the settings as they are with the entry added.

    Raises:
        SettingsError: they are invalid; of a mistake in the entry it has what follows its id.

    """
    try:
        others = json.loads(os.environ.get(ENTRIES, "[]"))
    except ValueError:
        others = None
    if not isinstance(others, list):
        raise SettingsError(f"{ENTRIES} is not a list of tables in JSON; correct or unset it")
    variables = {**os.environ, ENTRIES: json.dumps([*others, entry], default=str)}
    try:
        return load_settings(settings_path(), variables)
    except SettingsError as error:
        place = f"[[keys]] {entry['id']}"
        lines = [line.rpartition(place)[2].lstrip(": ") for line in str(error).splitlines()]
        raise SettingsError("; ".join(lines)) from None


def notes(settings: Settings, entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the entry changes or leaves as it is, and may be expected otherwise."""
    if len(settings.keys) == 1 and not settings.reachable_by:
        yield "this is the first [[keys]] entry; it disables the development key (.dev/key)."
    given = entry.get("limits", {})
    together = given.get(ALL, settings.limits.per_key)
    for path, rate in given.items():
        if per_second(rate) > per_second(together):
            yield f"{path} has {rate}, but all functions together {together}: --limit '{ALL}=...'."
    if not given:
        functions = [each for each in settings.enabled_functions if each.scope in entry["scopes"]]
        limits = [f"{each.path} {', '.join(each.limits)}" for each in functions if each.limits]
        yield f"its limits are those of the settings: {'; '.join([f'{together} in all', *limits])}."


def per_second(rate: str) -> float:
    """Return how many requests a second a rate limit allows in the long run."""
    item = parse_limit(rate)
    return item.amount / item.get_expiry()


if __name__ == "__main__":
    main()
