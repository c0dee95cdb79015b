"""scripts/keys as a function, on a copy of the shipped settings."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import keys
from settings import ApiKey, load_settings
from tests.system.service import ROOT

Run = Callable[..., tuple[str, str]]
Fail = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what the command prints for some arguments: standard output, and standard error."""
    shipped = (ROOT / "settings.toml").read_text("utf-8")
    (tmp_path / "settings.toml").write_text(shipped, encoding="utf-8")
    monkeypatch.setenv("OCR_SETTINGS", str(tmp_path / "settings.toml"))

    def run_once(*arguments: object, typed: str = "", status: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["keys", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            keys.main()
        shown = capsys.readouterr()
        assert ended.value.code == status, shown
        return shown.out, shown.err

    return run_once


@pytest.fixture
def fail(run: Run) -> Fail:
    """Return what a command that must fail says: one message, and no key."""

    def fail_once(*arguments: object) -> str:
        said = run(*arguments, status=2)
        assert said[0] == ""
        assert "Traceback" not in said[1]
        return said[1]

    return fail_once


def entries(directory: Path) -> list[ApiKey]:
    """Return the keys in force."""
    return list(load_settings(directory / "settings.toml", dict(os.environ)).keys)
