"""What certbot's hook installs, for whom, and what it leaves alone."""

import os
import stat
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.system.service import ROOT
from tls import signing
from tls.certificates import inspect
from tls.pair import check_pair

HOOK = ROOT / "deploy" / "certbot-hook"
NAME = "ocr.test"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to another user")


@pytest.fixture
def lineage(tmp_path: Path) -> Path:
    """Make a renewed pair, as certbot names its files."""
    return pair(tmp_path / "live", "fullchain.pem", "privkey.pem")


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """Make the pair that is being served, and the settings that say where it lies."""
    folder = pair(tmp_path / "served", "certificate.pem", "certificate.key")
    text = f'certfile = "{folder}/certificate.pem"\nkeyfile = "{folder}/certificate.key"\n'
    text += f'[plain_port]\npublic_origin = "https://{NAME}"\n'
    (tmp_path / "settings.toml").write_text(text, "utf-8")
    return folder


def pair(folder: Path, certificate: str, key: str, began: datetime | None = None) -> Path:
    """Make a certificate for 90 days and its key."""
    now = began or datetime.now(UTC)
    ca, ca_key = signing.make_ca("A CA", (NAME,), now, timedelta(days=365))
    leaf, leaf_key = signing.make_leaf(ca, ca_key, (NAME,), now, timedelta(days=90))
    folder.mkdir()
    (folder / certificate).write_bytes(leaf)
    (folder / key).write_bytes(leaf_key)
    return folder


def contents(folder: Path) -> Mapping[str, bytes]:
    """Return every file of a folder, a forgotten one included."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def run(lineage: Path | None, settings: Path, *arguments: str) -> tuple[int, str]:
    """Run the hook as certbot does; return its status and what it said."""
    user = () if os.geteuid() or "--user" in arguments else ("--user", "root")
    done = subprocess.run(
        [HOOK, "--settings", settings, *arguments, *user],
        env={"PATH": os.environ["PATH"], **({"RENEWED_LINEAGE": str(lineage)} if lineage else {})},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_pair_is_installed(lineage: Path, served: Path) -> None:
    """Both files, nothing else beside them, and the key is not for everybody."""
    status, said = run(lineage, served.parent / "settings.toml")
    assert (status, NAME in said) == (0, True), said
    assert contents(served) == {
        "certificate.pem": (lineage / "fullchain.pem").read_bytes(),
        "certificate.key": (lineage / "privkey.pem").read_bytes(),
    }
    assert check_pair(served / "certificate.pem", served / "certificate.key").names == (NAME,)
    assert not (served / "certificate.key").stat().st_mode & stat.S_IRWXO


@AS_ROOT
def test_the_service_s_user_may_read_it(lineage: Path, served: Path) -> None:
    """And may not change it; others may not even read the key."""
    for folder in (served, *list(served.parents)[:3]):  # pytest's own, for root alone
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    status, said = run(lineage, served.parent / "settings.toml", "--user", "nobody")
    assert status == 0, said
    key = served / "certificate.key"
    assert (key.stat().st_uid, stat.S_IMODE(key.stat().st_mode)) == (0, 0o640)
    for user, may in (("nobody", True), ("daemon", False)):
        command = ["setpriv", f"--reuid={user}", f"--regid={group(user)}", "--clear-groups"]
        tried = subprocess.run([*command, "cat", key], capture_output=True, check=False)
        assert (tried.returncode == 0) == may, user


def group(user: str) -> str:
    """Return a user's own group."""
    return subprocess.run(
        ["id", "-gn", user], capture_output=True, text=True, check=True
    ).stdout.strip()


@AS_ROOT
@pytest.mark.parametrize(("user", "told"), [("nobody", "cannot read"), ("no-such-user", "no user")])
def test_what_the_user_could_not_read_is_not_installed(
    lineage: Path, served: Path, user: str, told: str
) -> None:
    """A folder that is closed to that user, or a user that does not exist."""
    served.chmod(0o700)
    before = contents(served)
    status, said = run(lineage, served.parent / "settings.toml", "--user", user)
    assert (status, told in said) == (1, True), said
    assert contents(served) == before


def spoil(kind: str, lineage: Path) -> None:
    """Break a renewed pair."""
    chain, key = lineage / "fullchain.pem", lineage / "privkey.pem"
    if kind == "key of another":
        other = pair(lineage.with_name("other"), "c", "k")
        key.write_bytes((other / "k").read_bytes())
    elif kind == "expired":
        old = pair(lineage.with_name("old"), "c", "k", datetime.now(UTC) - timedelta(days=91))
        chain.write_bytes((old / "c").read_bytes())
        key.write_bytes((old / "k").read_bytes())
    elif kind == "torn":
        chain.write_bytes(chain.read_bytes()[:200])
    else:
        key.unlink()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("key of another", "is not the key of"),
        ("expired", "expired on"),
        ("torn", "no certificate in PEM form"),
        ("missing", "is missing"),
    ],
)
def test_a_broken_pair_is_refused(lineage: Path, served: Path, kind: str, told: str) -> None:
    """The old files stay unchanged; message and exit status tell certbot."""
    before = contents(served)
    spoil(kind, lineage)
    status, said = run(lineage, served.parent / "settings.toml")
    assert (status, told in said) == (1, True), said
    assert contents(served) == before


@pytest.mark.parametrize(
    ("main", "local", "asked"),
    [
        ('[plain_port]\npublic_origin = "https://other.test:8443"\n', "", "other.test"),
        ("", '[plain_port]\npublic_origin = "https://other.test"\n', "other.test"),
        ("", "", "localhost"),
    ],
)
def test_a_certificate_for_another_host_is_refused(
    lineage: Path, served: Path, main: str, local: str, asked: str
) -> None:
    """The service would refuse it; both names are said. settings.local.toml has the last word."""
    before, settings = contents(served), served.parent / "settings.toml"
    text = settings.read_text("utf-8")
    if not local:
        settings.write_text(text.partition("[plain_port]")[0] + main, "utf-8")
    (served.parent / "settings.local.toml").write_text(local, "utf-8")
    status, said = run(lineage, settings)
    assert (status, f"is valid for {NAME}, " in said, f"not for {asked}, " in said) == (
        1,
        True,
        True,
    ), said
    assert contents(served) == before
    right = f'[plain_port]\npublic_origin = "https://{NAME}"\n'
    (served.parent / "settings.local.toml").write_text(right, "utf-8")
    assert run(lineage, settings)[0] == 0


def test_an_invalid_origin_is_reported(lineage: Path, served: Path) -> None:
    """On one line: nothing can be checked, so nothing is installed."""
    local, before = served.parent / "settings.local.toml", contents(served)
    for text, told in (
        ('[plain_port]\npublic_origin = "http://ocr.test"\n', "public_origin: must start with"),
        ("[plain_port\n", "is not valid TOML"),
    ):
        local.write_text(text, "utf-8")
        status, said = run(lineage, served.parent / "settings.toml")
        assert (status, told in said, "Traceback" in said) == (1, True, False), said
    assert contents(served) == before


def test_certificate_and_key_are_replaced_together(lineage: Path, served: Path) -> None:
    """Where the certificate cannot be replaced, the old key is restored."""
    before = (served / "certificate.key").read_bytes()
    (served / "certificate.pem").unlink()
    (served / "certificate.pem").mkdir()
    status, said = run(lineage, served.parent / "settings.toml")
    assert status == 1, said
    assert contents(served) == {"certificate.key": before}


def test_it_needs_certbot_and_the_settings(lineage: Path, served: Path, tmp_path: Path) -> None:
    """Without RENEWED_LINEAGE or a settings file nothing is done."""
    before = contents(served)
    assert run(None, served.parent / "settings.toml")[0] == 1
    (tmp_path / "empty.toml").write_text("", "utf-8")
    for name in ("none.toml", "empty.toml"):
        status, said = run(lineage, tmp_path / name)
        assert (status, "not installed" in said) == (1, True), said
    assert contents(served) == before


def test_first_files(lineage: Path, served: Path) -> None:
    """Where nothing lies yet, as before the service's first start, both are put."""
    for file in served.iterdir():
        file.unlink()
    assert run(lineage, served.parent / "settings.toml")[0] == 0
    assert inspect(served / "certificate.pem").names == (NAME,)
