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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("bind = ", "1: not valid TOML: the value is missing or has no quotes"),
        ("a = 1\n\na = 2", "3: not valid TOML: the key is already set above"),
        ("[tls]\na = 1\n[tls]\n", "3: not valid TOML: the table is already declared above"),
        ("[[keys]]\n[keys]\n", "2: not valid TOML: the table"),
        ("a = 1\n[a.b]\n", "2: not valid TOML: the key is already set above"),
        ("= 3", '1: not valid TOML: expected "key = value" or "[table]"'),
        ("a: 3", '1: not valid TOML: expected "key = value" or "[table]"'),
        ("a = 3 b = 4", "1: not valid TOML: something follows the value"),
        ("[tls", '1: not valid TOML: the name of the table is not closed with "]"'),
        ("a = 'x", "1: not valid TOML: the string is not closed"),
        ('a = "x\nb = 2', "1: not valid TOML: the string is not closed"),
        (
            'a = """x\nb = 2',
            "2: not valid TOML, in what begins in line 1: the string is not closed",
        ),
        ("#\na = [ 1,\nb = 2\n", "3: not valid TOML, in what begins in line 2: "),
        ("a = { b = 1\n", "1: not valid TOML: the table is not closed"),
        ('a = "C:\\path"', "1: not valid TOML: a backslash starts an escape"),
        ("a = 2027-02-30", "1: not valid TOML: there is no such date"),
        ("a = True", "1: not valid TOML: the value is missing or has no quotes"),
        ("a = \x01", "1: not valid TOML: "),
        (
            "\ufeffa = 1",
            "1: the file begins with a byte order mark (BOM); save it as UTF-8 without",
        ),
    ],
)
def test_a_syntax_error_is_reported_with_its_line(content: str, said: str, tmp_path: Path) -> None:
    """In plain words, not in those of the parser."""
    path = tmp_path / "settings.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert f"settings.toml:{said}" in str(caught.value)
    assert " (at line" not in str(caught.value)
    assert "cannot be understood" not in str(caught.value)


def test_a_syntax_error_in_the_local_file_is_reported(refuse: Refuse) -> None:
    """As in the main file."""
    assert refuse(local="[tls").startswith("settings.local.toml: not valid TOML: ")


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
    assert caught.value.__context__ is None
