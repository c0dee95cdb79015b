"""The file that scripts/keys edits: its place, mode and owner, and other runs of the command."""

import contextlib
import fcntl
import json
import os
import threading
from pathlib import Path

import pytest

from scripts import key_file
from tests.keys.conftest import Fail, Run, entries
from tests.system.service import ROOT, key_stanza


def test_a_new_file_is_readable_for_those_who_read_the_settings(run: Run, tmp_path: Path) -> None:
    """Its owner, and the group where the service reads settings.toml by its group."""
    main, local = tmp_path / "settings.toml", tmp_path / "settings.local.toml"
    for mode, expected in ((0o644, 0o600), (0o600, 0o600), (0o640, 0o640)):
        main.chmod(mode)
        run("new", "a")
        assert local.stat().st_mode & 0o777 == expected
        assert local.stat().st_gid == main.stat().st_gid
        local.unlink()


def test_a_broken_file_stays_as_it_is(fail: Fail, run: Run, tmp_path: Path) -> None:
    """With one message that names the line; so does a file with a mistake elsewhere."""
    local = tmp_path / "settings.local.toml"
    for text, said in (
        ('[[keys]]\nid = "a\n', "settings.local.toml:2: not valid TOML"),
        ("[tsl]\n", "settings.local.toml:1: [tsl]: unknown table"),
        ("\ufeff", "byte order mark"),
    ):
        local.write_text(text, encoding="utf-8")
        for command in (["new", "x"], ["rotate", "x"], ["revoke", "x"], ["list"]):
            assert said in fail(*command)
        assert local.read_text("utf-8") == text
    local.write_bytes(b"[hsts]\r\nmax_age_s = 9\r\n")
    run("new", "x")
    assert local.read_bytes().count(b"\n") == local.read_bytes().count(b"\r\n") > 5


def test_an_entry_in_another_file(run: Run, fail: Fail, tmp_path: Path) -> None:
    """The message has the command for it; one that is in two files is revoked in both."""
    main = tmp_path / "settings.toml"
    run("new", "hr", "--file", main)
    key_id = entries(tmp_path)[0].id
    said = fail("rotate", "hr")
    assert f"scripts/keys rotate {key_id} --file {main}" in said
    local = tmp_path / "settings.local.toml"
    local.write_text(f'[[keys]]\nid = "{key_id}"\nname = "people"\n', encoding="utf-8")
    said = run("revoke", key_id, status=1)[1]
    assert "still valid by another:\n  settings.toml:" in said
    run(*said.rpartition("scripts/keys ")[2].split())
    assert entries(tmp_path) == []
    assert main.read_text("utf-8") == (ROOT / "settings.toml").read_text("utf-8")
    assert "no [[keys]] entry has the id or name 'hr'" in fail("rotate", "hr")


def test_a_key_of_a_variable_is_changed_there(
    fail: Fail, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command edits files; an ambiguous name is resolved by an id."""
    entry = {"id": "aaaa1111", "name": "hr", "sha256": "0" * 64, "scopes": ["ocr"]}
    monkeypatch.setenv("OCR_KEYS", json.dumps([entry]))
    assert "OCR_KEYS: change it there" in fail("revoke", "hr")
    assert "aaaa1111 has the name 'hr', too" in run("new", "hr")[1]
    assert "2 entries have the name 'hr'; name one by id: " in fail("rotate", "hr")
    for value in ("x", "null", "{}", "3"):
        monkeypatch.setenv("OCR_KEYS", value)
        assert "OCR_KEYS" in fail("new", "x")


def test_the_last_key_of_a_public_service_stays(run: Run, fail: Fail, tmp_path: Path) -> None:
    """The service would refuse the settings without it, and it would stay valid."""
    main = tmp_path / "settings.toml"
    text = main.read_text("utf-8").replace('"127.0.0.1:8443"', '"0.0.0.0:8443"')
    main.write_text(text, encoding="utf-8")
    assert "disables the development key" not in run("new", "a")[1]
    said = fail("revoke", "a")
    assert f"scripts/keys rotate {entries(tmp_path)[0].id} --overlap 0" in said
    run("new", "b")
    run("revoke", "a")
    assert [key.name for key in entries(tmp_path)] == ["b"]


def test_links_locks_and_other_owners(run: Run, fail: Fail, tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A link to elsewhere is not replaced, one to a neighbour is kept; a lock is waited for."""
    local = tmp_path / "settings.local.toml"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x.toml").write_text("", encoding="utf-8")
    local.symlink_to(elsewhere / "x.toml")
    assert f"is a symbolic link to {elsewhere}/x.toml" in fail("new", "x")
    local.unlink()
    (tmp_path / "real.toml").write_text("", encoding="utf-8")
    local.symlink_to("real.toml")
    run("new", "x")
    assert local.is_symlink()
    assert "[[keys]]" in (tmp_path / "real.toml").read_text("utf-8")
    monkeypatch.setattr(key_file, "LOCK_WAIT_S", 0.05)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert "is locked by another program" in fail("new", "y")
    os.close(descriptor)
    if os.getuid() == 0:
        os.chown(tmp_path / "real.toml", 65534, 65534)
        monkeypatch.setattr("scripts.key_file.os.fchown", _refuse)
        assert "run the command as nobody or root" in fail("new", "y")
    assert [key.name for key in entries(tmp_path)] == ["x"]


def _refuse(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_two_runs_at_once_lose_nothing(run: Run, tmp_path: Path) -> None:
    """The file is locked from the reading to the replacing; without the lock, entries are lost."""
    run("new", "first")
    main, local = tmp_path / "settings.toml", tmp_path / "settings.local.toml"
    file = key_file.KeyFile(main, local)

    def add(number: int) -> None:
        _, stanza = key_stanza(f"aaaa{number:04}", "x")
        with contextlib.suppress(key_file.FileUnusable):  # without the lock: changed meanwhile
            file.edit(lambda text: f"{text}\n{stanza}", os.environ)

    for locked in (True, False):
        local.unlink()
        run("new", "first")
        with pytest.MonkeyPatch.context() as patch:
            if not locked:
                patch.setattr(key_file, "_locked", lambda _directory: contextlib.nullcontext())
            threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert (len(entries(tmp_path)) == 9) is locked
