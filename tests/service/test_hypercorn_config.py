"""Hypercorn must run with the file that was checked, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from hypercorn.config import Config

from service.hypercorn_config import (
    COMMAND_LINE_ONLY,
    ConfigMismatch,
    check_command_line,
    check_config,
)
from settings.server import Server

TEXT = 'bind = ["127.0.0.1:1"]\nworkers = 0\n[limits]\nper_key = "1/day"\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file in the working directory."""
    path = tmp_path / "settings.toml"
    path.write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ["hypercorn", "--config", "settings.toml", "app:app"],
        ["hypercorn", "--config=settings.toml", "app:app"],
        ["/usr/bin/hypercorn", "-c", "./settings.toml", "app:app"],
        ["/lib/hypercorn/__main__.py", "-csettings.toml", "--bind", "x", "app:app"],
        ["pytest", "-x"],
        [],
    ],
)
def test_the_same_file_is_accepted(arguments: list[str], file: Path) -> None:
    """In each spelling; another program's command line is not checked here."""
    check_command_line(arguments, file)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hypercorn", "app:app"], "Hypercorn was started without a file"),
        (["hypercorn", "-c", "other.toml", "app:app"], "Hypercorn reads other.toml, the service"),
        (["__main__.py", "--config", "python:settings", "app:app"], "Hypercorn reads python:"),
    ],
)
def test_another_file_is_refused_with_both_names(
    arguments: list[str], said: str, file: Path
) -> None:
    """With two files, half of the settings would never be checked."""
    with pytest.raises(ConfigMismatch) as caught:
        check_command_line(arguments, file)
    assert str(caught.value).startswith(said)
    assert str(file) in str(caught.value)


def test_the_file_s_own_config_is_accepted(file: Path) -> None:
    """A config that was read from the file does not differ."""
    check_config(Config.from_toml(file), file, Server.model_fields)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bind", ["0.0.0.0:1"]),
        ("workers", 2),
        ("certfile", "x"),
        ("ciphers", "ALL"),
        ("debug", True),
        ("accesslog", "-"),
        ("quic_bind", ["127.0.0.1:2"]),
        ("root_path", "/x"),
        ("use_reloader", True),
    ],
)
def test_a_flag_that_contradicts_the_file_is_refused(key: str, value: Any, file: Path) -> None:
    """A flag bypasses every check of the file, so it is named and refused."""
    config = Config.from_toml(file)
    setattr(config, key, value)
    with pytest.raises(ConfigMismatch) as caught:
        check_config(config, file, Server.model_fields)
    assert str(caught.value).startswith(f"{key} is ")
    assert f" in settings.toml and {value!r} on Hypercorn's command line" in str(caught.value)


@pytest.mark.parametrize("key", COMMAND_LINE_ONLY)
def test_hypercorn_knows_what_is_compared(key: str) -> None:
    """Each key that only the command line sets exists, and is none the file may set."""
    assert hasattr(Config(), key)
    assert key not in Server.model_fields
