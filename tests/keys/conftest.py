"""scripts/keys on a copy of the shipped settings."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from settings import ApiKey, load_settings
from tests.keys.invoke import invoke
from tests.system.service import ROOT

Run = Callable[..., tuple[str, str]]
Fail = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what the command prints for some arguments: standard output, and standard error."""
    settings = tmp_path / "settings.toml"
    settings.write_text((ROOT / "settings.toml").read_text("utf-8"), encoding="utf-8")

    def run_once(*arguments: object, typed: str = "", status: int = 0) -> tuple[str, str]:
        out, err, ended = invoke(settings, *arguments, typed=typed)
        assert ended == status, (out, err)
        return out, err

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
