"""Print a new API key, once, and its `[[keys]]` entry, which has only the SHA-256 of the key.

With --certificate the caller has to present that certificate too, with --no-key only that.
"""

import argparse
import contextlib
import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import ValidationError

from middleware.key_format import new_key, new_key_id
from settings import ApiKey


class NotForClients(Exception):
    """The certificate is not valid for clients."""


def days(text: str) -> int:
    """Return a validity in days, at least one."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a key is valid for at least one day")
    return number


def main() -> None:
    """Create the key and print it with its entry, validated as in the settings."""
    parser = argparse.ArgumentParser(prog="new-key", description=__doc__)
    parser.add_argument("name", help="the caller's name in the log")
    parser.add_argument("--scope", action="append", help="a scope of the key (default: ocr)")
    parser.add_argument("--days", type=days, help="days until it expires (default: never)")
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

    token = new_key(new_key_id())
    expires = arguments.days and datetime.now(UTC).replace(microsecond=0) + timedelta(
        days=arguments.days
    )
    try:
        key = ApiKey(
            id=token.split("_")[1],
            name=arguments.name,
            sha256=None if arguments.no_key else hashlib.sha256(token.encode()).hexdigest(),
            **certificate(arguments.certificate, pin=arguments.pin),
            scopes=tuple(arguments.scope or ["ocr"]),
            expires=expires,
        )
    except OSError as error:
        parser.error(f"{arguments.certificate}: {error.strerror}")
    except ValidationError as error:
        problems = (f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
        parser.error("; ".join(problems))
    except NotForClients as error:
        parser.error(f"{arguments.certificate} {error}")
    except ValueError as error:
        parser.error(f"{arguments.certificate} has no certificate in PEM form: {error}")
    if key.sha256:
        print("The key, shown only once; send it to the caller over a secure channel:\n")
        print(f"  {token}\n")
    print(
        "Its entry, for settings.toml or settings.local.toml; it takes effect without a restart:\n"
    )
    print("\n".join(entry(key)))


def certificate(file: Path | None, *, pin: bool) -> dict[str, Any]:
    """Return the fields of an entry that require the certificate in a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file has no certificate.
        NotForClients: the certificate is not valid for clients.

    """
    if file is None:
        return {}
    found = x509.load_pem_x509_certificate(file.read_bytes())
    with contextlib.suppress(x509.ExtensionNotFound):
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
            raise NotForClients("has a certificate that is not valid for clients")
    if pin:
        return {"certificate_sha256": found.fingerprint(hashes.SHA256()).hex()}
    return {"certificate_subject": found.subject.rfc4514_string()}


def entry(key: ApiKey) -> Iterator[str]:
    """Yield the lines of an entry, as TOML."""
    yield "[[keys]]"
    for name in ("id", "name", "sha256", "certificate_subject", "certificate_sha256", "scopes"):
        value = getattr(key, name)
        if value is not None:
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"
    yield '# limits = { "*" = "60/minute", "/ocr" = "10/minute" }   # the defaults; raise them here'
    if key.expires:
        yield f"expires = {key.expires.isoformat()}"


if __name__ == "__main__":
    main()
