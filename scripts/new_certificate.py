"""Create or renew the development CA and its certificate."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tls.certificates import CertificateError, inspect
from tls.development import LEAF_DAYS, ensure_development_certificate


def main() -> int:
    """Create the files, and print their paths, names and expiry."""
    parser = argparse.ArgumentParser(prog="scripts/new-certificate", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="host name or IP address")
    parser.add_argument(
        "--directory", type=Path, default=ROOT / "tls" / "local", help="default: tls/local"
    )
    parser.add_argument(
        "--days", type=int, default=LEAF_DAYS, help=f"lifetime, at most {LEAF_DAYS} (the default)"
    )
    given = parser.parse_args()
    old = given.directory / "ca.pem"
    before = old.read_bytes() if old.exists() else b""
    try:
        paths = ensure_development_certificate(given.directory, given.names, days=given.days)
        facts, ca = inspect(paths.certificate), inspect(paths.ca)
    except (CertificateError, OSError) as error:
        print(f"new-certificate: {error}", file=sys.stderr)
        return 1
    print(f"certificate  {paths.certificate}  until {facts.not_after:%Y-%m-%d}")
    print(f"key          {paths.key}")
    print(f"names        {' '.join(facts.names)}")
    print(f"CA to trust  {paths.ca}  until {ca.not_after:%Y-%m-%d}")
    if before and before != paths.ca.read_bytes():
        print("The CA is new, for the new names: clients must trust it in place of the old one.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
