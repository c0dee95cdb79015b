"""Which file is read, and the errors of one that cannot be read."""

from pathlib import Path

import pytest

from settings import SettingsError, load_settings, settings_path
from tests.settings.conftest import MINIMAL, Refuse


def test_the_settings_file() -> None:
    """It is settings.toml beside app.py, unless OCR_SETTINGS names another file."""
    beside = settings_path({})
    assert beside == Path(__file__).parents[2] / "settings.toml"
    assert settings_path({"OCR_SETTINGS": ""}) == beside
    assert settings_path({"OCR_SETTINGS": "other.toml"}) == Path("other.toml")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """The service does not run on defaults only."""
    path = tmp_path / "settings.toml"
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert str(caught.value) == f"{path} does not exist; set OCR_SETTINGS to use another file"


def test_the_local_file_is_optional(tmp_path: Path) -> None:
    """Without it the settings are those of the main file."""
    path = tmp_path / "settings.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    assert load_settings(path, {}).keys == ()


@pytest.mark.parametrize("content", [b"bind = ", b"a = 1\na = 2", b"= 3", b"[tls", b"a = 'x"])
def test_a_syntax_error_is_reported_with_its_line(content: bytes, tmp_path: Path) -> None:
    """The message names the file, too."""
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(
        SettingsError, match=r"^settings\.toml is not valid TOML: .*(line|end of doc)"
    ):
        load_settings(path, {})


def test_a_syntax_error_in_the_local_file_is_reported(refuse: Refuse) -> None:
    """As in the main file."""
    assert refuse(local="[tls").startswith("settings.local.toml is not valid TOML: ")


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    """Such as a directory, or bytes that are not UTF-8."""
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"settings\.toml cannot be read"):
        load_settings(path, {})
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path, {})


def test_an_error_hides_its_cause(tmp_path: Path) -> None:
    """pydantic's own error, which shows the values, is not its cause."""
    path = tmp_path / "settings.toml"
    path.write_text(MINIMAL + "\n[limits]\nstorage = 'hunter2'", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
