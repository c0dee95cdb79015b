"""Print a new API key, once, and the `[[keys]]` entry that knows it by its SHA-256.

With --certificate the caller has to show that certificate too; with --no-key it is enough.
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


def days(text: str) -> int:
    """Return a lifetime in days, at least one."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a key lives at least a day")
    return number


def main() -> None:
    """Make the key, check the entry against the settings' own rules, print both."""
    parser = argparse.ArgumentParser(prog="new-key", description=__doc__)
    parser.add_argument("name", help="the caller's name, as the log will show it")
    parser.add_argument("--scope", action="append", help="what it may call (default: ocr)")
    parser.add_argument("--days", type=days, help="days until it expires (default: never)")
    parser.add_argument("--certificate", type=Path, help="PEM file of a certificate it needs, too")
    parser.add_argument("--pin", action="store_true", help="that one alone, no renewed one")
    parser.add_argument("--no-key", action="store_true", help="the certificate is enough")
    arguments = parser.parse_args()
    if arguments.certificate is None and (arguments.pin or arguments.no_key):
        parser.error("--pin and --no-key are about a --certificate")

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
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        parser.error(faults)
    except ValueError as error:
        other = str(error).startswith("is no client's")
        said = str(error) if other else "holds no certificate in PEM form"
        parser.error(f"{arguments.certificate} {said}")
    if key.sha256:
        print("The key, shown this once; hand it to the caller over a safe channel:\n")
        print(f"  {token}\n")
    print("Its entry, for settings.toml or settings.local.toml, taken up without a restart:\n")
    print("\n".join(entry(key)))


def certificate(file: Path | None, *, pin: bool) -> dict[str, Any]:
    """Return how an entry names the certificate in a file.

    Raises:
        OSError: it can't be read.
        ValueError: it holds none.

    """
    if file is None:
        return {}
    found = x509.load_pem_x509_certificate(file.read_bytes())
    with contextlib.suppress(x509.ExtensionNotFound):
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
            raise ValueError("is no client's certificate: it is for other uses")
    if pin:
        return {"certificate_sha256": found.fingerprint(hashes.SHA256()).hex()}
    return {"certificate_subject": found.subject.rfc4514_string()}


def entry(key: ApiKey) -> Iterator[str]:
    """Write the entry's lines, as TOML."""
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
