"""The development key."""

import hashlib
import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from middleware.key_format import key_id_of, new_key
from service.dev_key import KEY_ID, development_caller, ensure_key, log_disabled


def test_it_is_made_once(tmp_path: Path) -> None:
    """The first start makes the key, later ones return it."""
    path = tmp_path / ".dev" / "key"
    token = ensure_key(path)
    assert key_id_of(token) == KEY_ID
    assert ensure_key(path) == token
    assert path.read_text(encoding="ascii") == token + "\n"


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """The file has mode 0600, its folder 0700."""
    path = tmp_path / ".dev" / "key"
    ensure_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe", new_key("other").encode()])
def test_other_content_is_replaced(content: bytes, tmp_path: Path) -> None:
    """Anything but the development key is replaced; the new file has mode 0600."""
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o644)
    token = ensure_key(path)
    assert key_id_of(token) == KEY_ID
    assert ensure_key(path) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("before", [None, b"", b"torn"])
def test_concurrent_workers_agree(
    before: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that race all return the key that is stored; creating it is slowed down here."""

    def slow(key_id: str) -> str:
        time.sleep(0.03)
        return new_key(key_id)

    monkeypatch.setattr("service.dev_key.new_key", slow)
    path = tmp_path / "key"
    if before is not None:
        path.write_bytes(before)
    with ThreadPoolExecutor(4) as pool:
        tokens = set(pool.map(ensure_key, [path] * 8))
    assert tokens == {path.read_text(encoding="ascii").strip()}


def test_its_entry_has_every_scope_on_this_machine(tmp_path: Path) -> None:
    """Every scope, high limits for each path and for all together, loopback only."""
    caller = development_caller(tmp_path / "key", ["ocr", "other"], ["/ocr"])
    assert caller.sha256 == hashlib.sha256(ensure_key(tmp_path / "key").encode()).digest()
    assert caller.loopback_only
    assert caller.scopes == {"ocr", "other"}
    assert set(caller.limits) == {"*", "/ocr"}
    assert all(item.amount >= 1000 for item in caller.limits.values())


def test_only_a_key_that_exists_is_reported_as_disabled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the file, not the key; without a file there is no line."""
    path = tmp_path / "key"
    log_disabled(path)
    assert capsys.readouterr().out == ""
    token = ensure_key(path)
    log_disabled(path)
    line = capsys.readouterr().out
    assert json.loads(line)["file"] == str(path)
    assert token not in line
