"""Install a renewed certificate and key at the paths in settings.toml (certfile, keyfile).

certbot runs this, usually as root, and names the pair in RENEWED_LINEAGE. The service has a user
of its own, which cannot read /etc/letsencrypt/live. So the pair is checked as the service will
check it, for the host of [plain_port] public_origin, too, and copied, readable by that user. The
service detects the change. A pair that cannot be served is refused with a message and status 1,
and the installed files stay as they are.
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
# Owned by root, readable by the service's group: an attacker in the service cannot change them.
MODES = {"certfile": 0o644, "keyfile": 0o640}
OWN_MODES = {"certfile": 0o644, "keyfile": 0o600}


class NotInstalled(Exception):
    """The pair was not installed; the message says why."""


def main() -> int:
    """Parse the command line, install the pair, and print what is served from now on."""
    parser = argparse.ArgumentParser(prog="certbot-hook", description=__doc__)
    parser.add_argument(
        "--settings",
        type=Path,
        default=Path(os.environ.get("OCR_SETTINGS") or ROOT / "settings.toml"),
        help="the settings file (default: OCR_SETTINGS, or settings.toml of this project)",
    )
    parser.add_argument(
        "--user", default=USER, help=f"the service's user (default: {USER}); for root only"
    )
    given = parser.parse_args()
    try:
        targets = targets_of(given.settings)
        account = pwd.getpwnam(given.user) if os.geteuid() == 0 else None
        facts = install(lineage(), targets, account, host_of(given.settings))
    except KeyError:
        problem = f"there is no user {given.user!r}; set --user to the service's user"
    except (NotInstalled, CertificateError, OSError) as error:
        problem = f"{error} (settings: {given.settings})"
    else:
        print(f"certbot-hook: installed {targets['certfile']} and {targets['keyfile']}")
        print(f"certbot-hook: for {' '.join(facts.names)}, until {facts.not_after:%Y-%m-%d %H:%M}")
        return 0
    print(f"certbot-hook: not installed: {problem}", file=sys.stderr)
    return 1


def lineage() -> Path:
    """Return the directory of the renewed pair."""
    named = os.environ.get("RENEWED_LINEAGE")
    if not named:
        raise NotInstalled("RENEWED_LINEAGE is not set; this is a --deploy-hook of certbot")
    return Path(named)


def targets_of(settings: Path) -> dict[str, Path]:
    """Return certfile and keyfile; relative paths are relative to the project's directory."""
    found = read(settings)
    missing = [key for key in FILES if not isinstance(found.get(key), str)]
    if missing:
        raise NotInstalled(f"{settings} has no {missing[0]}")
    return {key: ROOT / found[key] for key in FILES}


def host_of(settings: Path) -> str:
    """Return the host of public_origin, as the files have it: the environment is not known."""
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
    """Return the content of a settings file."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotInstalled(f"{file} is not valid TOML: {error}") from None


def install(
    source: Path, targets: dict[str, Path], account: pwd.struct_passwd | None, host: str
) -> CertificateFacts:
    """Check a pair and install both files or neither."""
    # certbot does not encrypt keys.
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
    """Write a new file with its owner and mode, and flush it to disk."""
    # By descriptor: in a directory of the service's user the name may be another file by then.
    with open(file, "xb", opener=private) as stream:
        if account is not None:
            os.fchown(stream.fileno(), os.geteuid(), account.pw_gid)
        os.fchmod(stream.fileno(), (OWN_MODES if account is None else MODES)[key])
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def private(name: str, flags: int) -> int:
    """Open for this user only: a key is never readable by others, not even briefly."""
    return os.open(name, flags | os.O_NOFOLLOW, 0o600)


def check_readable(file: Path, account: pwd.struct_passwd) -> None:
    """Read a file as the service's user: its directories must be accessible, too."""
    command = ["/bin/cat", str(file)]
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    tried = subprocess.run(command, stdout=subprocess.DEVNULL, check=False, **user)  # type: ignore[call-overload]
    if tried.returncode:
        raise NotInstalled(f"{account.pw_name} cannot read files in {file.parent}")


def exchange(fresh: dict[str, Path], targets: dict[str, Path]) -> None:
    """Rename both files; if the second fails, undo the first.

    Between the two renames the files do not match. The service reloads them only when both are
    unchanged for one poll and match.
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
