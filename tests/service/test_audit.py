"""A start without a key, or with a directory of others, is refused; each message has its mend."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from service import check
from service.audit import open_audit
from settings import load_settings

KEY = "k" * 32
SHIPPED = Path(__file__).parents[2] / "settings.toml"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The shipped settings, with a certificate in a directory of their own."""
    text = SHIPPED.read_text(encoding="utf-8").replace('"tls/local/', f'"{tmp_path}/tls/')
    file = tmp_path / "settings.toml"
    file.write_text(text.replace("8443", "0").replace("8080", "0"), encoding="utf-8")
    return file


def _open(settings: Path) -> None:
    audit = open_audit(load_settings(settings), settings.parent, lambda _scope: None)
    assert audit is not None
    asyncio.run(audit.trail.aclose())


def _another_key(settings: Path) -> None:
    _local(settings, f'directory = "trail"\nkey = "{"o" * 32}"\n')
    _open(settings)


def _local(settings: Path, text: str) -> None:
    settings.with_name("settings.local.toml").write_text(f"[audit]\n{text}", encoding="utf-8")


REFUSED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no key": (lambda _: None, 'directory = "trail"', "key: key is missing: umask 077; scripts/"),
    "an empty key": (lambda _: None, 'directory = "trail"\nkey = " "', "key: key is missing"),
    "a short key": (
        lambda _: None,
        'directory = "trail"\nkey = "secret"',
        "key has 6 characters; it needs 32: umask 077; scripts/audit new-key",
    ),
    "a key for nothing": (lambda _: None, f'key = "{KEY}"', "no effect while directory is empty"),
    "a directory of others": (
        lambda settings: (settings.parent / "trail").mkdir(mode=0o755),
        f'directory = "trail"\nkey = "{KEY}"',
        "trail is open to others (mode 0755): chmod 700 /",
    ),
    "a file": (
        lambda settings: (settings.parent / "trail").touch(),
        f'directory = "trail"\nkey = "{KEY}"',
        "is not a directory that this user can write to",
    ),
    "no parent": (
        lambda _: None,
        f'directory = "no/trail"\nkey = "{KEY}"',
        "does not exist and cannot be made",
    ),
    "another key": (
        _another_key,
        f'directory = "trail"\nkey = "{KEY}"',
        "1.head was changed, or made with another key; a new key needs a new directory",
    ),
    "a wrong policy": (lambda _: None, 'on_failure = "ignore"', "on_failure"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_start_is_refused(settings: Path, name: str) -> None:
    """With the place in the settings; the key itself is in no message."""
    prepare, text, said = REFUSED[name]
    prepare(settings)
    _local(settings, text)
    [mistake] = check.check(settings, starting=False).mistakes
    assert mistake.startswith("settings.local.toml:")
    assert said in mistake
    assert KEY not in mistake
    assert "secret" not in mistake


def test_a_trail_that_can_be_written_is_no_mistake(settings: Path) -> None:
    """Control: the check makes nothing; the start makes a directory for this user alone."""
    _local(settings, f'directory = "trail"\nkey = "{KEY}"\n')
    assert check.check(settings, starting=False).mistakes == []
    trail = settings.parent / "trail"
    assert not trail.exists()
    _open(settings)
    assert oct(trail.stat().st_mode)[-3:] == "700"
    assert check.check(settings, starting=False).mistakes == []


@pytest.mark.parametrize("policy", ["deny", "allow"])
def test_readiness_says_that_records_cannot_be_written(settings: Path, policy: str) -> None:
    """As a check that fails, or, where requests are served all the same, as a warning."""
    _local(settings, f'directory = "trail"\nkey = "{KEY}"\non_failure = "{policy}"\n')
    audit = open_audit(load_settings(settings), settings.parent, lambda _scope: None)
    assert audit is not None

    async def states() -> list[tuple[bool, bool]]:
        trail, away = settings.parent / "trail", settings.parent / "away"
        found = [(await audit.ready(), bool(audit.warnings()))]
        trail.rename(away)
        with pytest.raises(FileNotFoundError):
            audit.trail.append(kind="received")
        found.append((await audit.ready(), bool(audit.warnings())))
        if policy == "allow":
            assert "unrecorded since 20" in audit.warnings()["audit"]
        away.rename(trail)
        found.append((await audit.ready(), bool(audit.warnings())))
        await audit.trail.aclose()
        return found

    broken = {"deny": (False, False), "allow": (True, True)}[policy]
    assert asyncio.run(states()) == [(True, False), broken, (True, False)]
