"""Install a renewed certificate and key where settings.toml's certfile and keyfile say.

certbot runs this, mostly as root, and names the pair in RENEWED_LINEAGE. The service, as a user of
its own, cannot read /etc/letsencrypt/live: so the pair is copied, readable by that user, once it
has been checked as the service will: for the host of [plain_port] public_origin, too. The service
sees the change by itself. A pair that cannot be served is refused with a message and status 1, and
what was there stays.
"""

import argparse
import os
import pwd
import secrets
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from settings.loading import LOCAL_NAME
from settings.tables import PlainPort
from tls.certificates import CertificateError, CertificateFacts
from tls.chain import check_chain

USER = "sealed-ocr"
FILES = {"certfile": "fullchain.pem", "keyfile": "privkey.pem"}
# Of root, and of the service's group: who gets hold of the service cannot change them.
MODES = {"certfile": 0o644, "keyfile": 0o640}
OWN_MODES = {"certfile": 0o644, "keyfile": 0o600}


class NotInstalled(Exception):
    """The pair was left alone; the message says why."""


def main() -> int:
    """Parse the command line, install the pair, say what is served from now on."""
    parser = argparse.ArgumentParser(prog="certbot-hook", description=__doc__)
    parser.add_argument(
        "--settings",
        type=Path,
        default=Path(os.environ.get("OCR_SETTINGS") or ROOT / "settings.toml"),
        help="the service's file (default: OCR_SETTINGS, or settings.toml of this project)",
    )
    parser.add_argument(
        "--user", default=USER, help=f"whom the service runs as (default: {USER}); for root only"
    )
    given = parser.parse_args()
    try:
        targets = targets_of(given.settings)
        account = pwd.getpwnam(given.user) if os.geteuid() == 0 else None
        facts = install(lineage(), targets, account, host_of(given.settings))
    except KeyError:
        problem = f"there is no user {given.user!r}; --user names whom the service runs as"
    except (NotInstalled, CertificateError, OSError) as error:
        problem = f"{error} (settings: {given.settings})"
    else:
        print(f"certbot-hook: installed {targets['certfile']} and {targets['keyfile']}")
        print(f"certbot-hook: for {' '.join(facts.names)}, until {facts.not_after:%Y-%m-%d %H:%M}")
        return 0
    print(f"certbot-hook: not installed: {problem}", file=sys.stderr)
    return 1


def lineage() -> Path:
    """Return the folder of the renewed pair."""
    named = os.environ.get("RENEWED_LINEAGE")
    if not named:
        raise NotInstalled("RENEWED_LINEAGE is not set; this is a --deploy-hook of certbot")
    return Path(named)


def targets_of(settings: Path) -> dict[str, Path]:
    """Return certfile and keyfile; relative ones begin where the service is started: here."""
    found = read(settings)
    missing = [key for key in FILES if not isinstance(found.get(key), str)]
    if missing:
        raise NotInstalled(f"{settings} has no {missing[0]}")
    return {key: ROOT / found[key] for key in FILES}


def host_of(settings: Path) -> str:
    """Return whom clients ask for; what overrides it in the service's environment is not known."""
    table: dict[str, Any] = {}
    local = settings.with_name(LOCAL_NAME)
    for file in (settings, local) if local.exists() else (settings,):
        told = read(file).get("plain_port", {})
        table |= told if isinstance(told, dict) else {}
    named = {key: table[key] for key in table if key == "public_origin"}
    try:
        return PlainPort.model_validate(named).host
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise NotInstalled(f"[plain_port] public_origin: {problem}") from None


def read(file: Path) -> dict[str, Any]:
    """Return what a settings file says."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotInstalled(f"{file} is not TOML: {error}") from None


def install(
    source: Path, targets: dict[str, Path], account: pwd.struct_passwd | None, host: str
) -> CertificateFacts:
    """Check a pair and put it in place, both files or none."""
    # certbot encrypts no key.
    facts = check_chain(source / FILES["certfile"], source / FILES["keyfile"], None, host)
    fresh: dict[str, Path] = {}
    try:
        for key, target in targets.items():
            fresh[key] = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            write(fresh[key], (source / FILES[key]).read_bytes(), key, account)
            if account is not None:
                check_readable(fresh[key], account)
        exchange(fresh, targets)
    finally:
        for file in fresh.values():
            file.unlink(missing_ok=True)
    return facts


def write(file: Path, content: bytes, key: str, account: pwd.struct_passwd | None) -> None:
    """Write a new file, readable by whom it is for alone, and have it reach the disk."""
    # By descriptor: where the folder is the user's own, the name may be another file by then.
    with open(file, "xb", opener=private) as stream:
        if account is not None:
            os.fchown(stream.fileno(), os.geteuid(), account.pw_gid)
        os.fchmod(stream.fileno(), (OWN_MODES if account is None else MODES)[key])
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def private(name: str, flags: int) -> int:
    """Open for this user alone: a key is never readable by others, not for a moment."""
    return os.open(name, flags | os.O_NOFOLLOW, 0o600)


def check_readable(file: Path, account: pwd.struct_passwd) -> None:
    """Try to read a file as the service will: its folders must let that user through, too."""
    command = ["/bin/cat", str(file)]
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    tried = subprocess.run(command, stdout=subprocess.DEVNULL, check=False, **user)  # type: ignore[call-overload]
    if tried.returncode:
        raise NotInstalled(f"{account.pw_name} cannot read what is in {file.parent}")


def exchange(fresh: dict[str, Path], targets: dict[str, Path]) -> None:
    """Rename both; where the second fails, take the first back.

    Between the two names the files do not match. The service waits until both have rested, and
    keeps what it serves unless they match.
    """
    key, certificate = targets["keyfile"], targets["certfile"]
    old = fresh["keyfile"].with_name(fresh["keyfile"].name + ".old")
    with suppress(FileNotFoundError):
        os.link(key, old, follow_symlinks=False)
    try:
        fresh["keyfile"].replace(key)
        try:
            fresh["certfile"].replace(certificate)
        except OSError:
            with suppress(FileNotFoundError):
                old.replace(key)
            raise
    finally:
        old.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
