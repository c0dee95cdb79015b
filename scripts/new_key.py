"""Print a new API key, once, and the `[[keys]]` entry that knows it by its SHA-256."""

import argparse
import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from pydantic import ValidationError

from middleware.token import new_id, new_token
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
    arguments = parser.parse_args()

    token = new_token(new_id())
    expires = arguments.days and datetime.now(UTC).replace(microsecond=0) + timedelta(
        days=arguments.days
    )
    try:
        key = ApiKey(
            id=token.split("_")[1],
            name=arguments.name,
            sha256=hashlib.sha256(token.encode()).hexdigest(),
            scopes=tuple(arguments.scope or ["ocr"]),
            expires=expires,
        )
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        parser.error(faults)
    print("The key, shown this once; hand it to the caller over a safe channel:\n")
    print(f"  {token}\n")
    print("Its entry, for settings.toml or settings.local.toml; then restart the service:\n")
    print("[[keys]]")
    print(f"id = {json.dumps(key.id)}")
    print(f"name = {json.dumps(key.name, ensure_ascii=False)}")
    print(f"sha256 = {json.dumps(key.sha256)}")
    print(f"scopes = {json.dumps(key.scopes)}")
    print(
        '# limits = { "*" = "60/minute", "/ocr" = "10/minute" }   # the defaults; raise them here'
    )
    if key.expires:
        print(f"expires = {key.expires.isoformat()}")


if __name__ == "__main__":
    main()
