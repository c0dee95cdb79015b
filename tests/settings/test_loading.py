"""Which file is read, and what is said of one that cannot be."""

from pathlib import Path

import pytest

from settings import SettingsError, load_settings, settings_path
from tests.settings.conftest import MINIMAL, Refuse


def test_the_file_in_force() -> None:
    """It is settings.toml beside app.py, unless OCR_SETTINGS names another."""
    beside = settings_path({})
    assert beside == Path(__file__).parents[2] / "settings.toml"
    assert settings_path({"OCR_SETTINGS": ""}) == beside
    assert settings_path({"OCR_SETTINGS": "other.toml"}) == Path("other.toml")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """The service never runs on defaults alone."""
    path = tmp_path / "settings.toml"
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert str(caught.value) == f"{path} does not exist; OCR_SETTINGS names another file"


def test_a_missing_local_file_is_none(tmp_path: Path) -> None:
    """The local file is there or not."""
    path = tmp_path / "settings.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    assert load_settings(path, {}).keys == ()


@pytest.mark.parametrize("content", [b"bind = ", b"a = 1\na = 2", b"= 3", b"[tls", b"a = 'x"])
def test_what_is_not_toml_is_told_with_its_line(content: bytes, tmp_path: Path) -> None:
    """A syntax error is named with file and line."""
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"^settings\.toml is not TOML: .*(line|end of doc)"):
        load_settings(path, {})


def test_a_broken_local_file_is_told_too(refuse: Refuse) -> None:
    """The local file is read as strictly as the main one."""
    assert refuse(local="[tls").startswith("settings.local.toml is not TOML: ")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A folder, or bytes that are no UTF-8, are refused with the file's name."""
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"settings\.toml cannot be read"):
        load_settings(path, {})
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path, {})


def test_a_refusal_hides_its_cause(tmp_path: Path) -> None:
    """pydantic's own error, which shows the values, is not chained to ours."""
    path = tmp_path / "settings.toml"
    path.write_text(MINIMAL + "\n[limits]\nstorage = 'hunter2'", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
