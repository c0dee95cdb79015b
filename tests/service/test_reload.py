"""Settings that change: what is named, and what a change that fails leaves behind."""

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from service.middleware_stack import MiddlewareStack
from service.reload import SettingsReload, differences
from settings import Settings, load_settings

SHIPPED = Path(__file__).parents[2] / "settings.toml"


@pytest.fixture
def settings() -> Settings:
    """Load the settings as they are shipped."""
    return load_settings(SHIPPED, {})


def changed(settings: Settings, **variables: str) -> Settings:
    """Return the settings with variables in force."""
    assert settings
    return load_settings(SHIPPED, {f"OCR_{name}": value for name, value in variables.items()})


def test_what_differs_is_named_as_the_file_writes_it(settings: Settings) -> None:
    """Keys of tables, tables of entries, keys of Hypercorn's; nothing where nothing differs."""
    assert differences(settings, changed(settings)) == {}
    other = changed(settings, HSTS__MAX_AGE_S="9", ENGINE__THREADS="1", ENGINE__WARM="true")
    server = settings.server.model_copy(update={"backlog": 7})
    other = other.model_copy(update={"server": server, "functions": settings.functions[:1]})
    assert differences(settings, other) == {
        "server": ["backlog"],
        "hsts": ["[hsts] max_age_s"],
        "engine": ["[engine] threads", "[engine] warm"],
        "functions": ["[[functions]]"],
    }


def test_a_change_that_fails_halfway_leaves_everything(settings: Settings, tmp_path: Path) -> None:
    """The app keeps its routes and middleware, the settings their values; the reason is kept."""
    reported: list[dict[str, Any]] = []

    def surround(new: Settings, before: MiddlewareStack | None) -> MiddlewareStack:
        if before is not None:
            raise OSError("disk full")
        return MiddlewareStack(new, tmp_path, print, clients=None, development_certificate=True)

    app = Starlette()
    live = SettingsReload(
        app,
        settings,
        read=lambda: changed(settings, HSTS__MAX_AGE_S="9"),
        surround=surround,
        report=lambda **facts: reported.append(facts),
    )
    routes, stack = app.router.routes, app.middleware_stack
    live.reload()
    assert live.problem == "disk full"
    assert live.settings is settings
    assert (app.router.routes, app.middleware_stack) == (routes, stack)
    assert reported[0]["event"] == "settings_not_loaded"
    assert reported[0]["error"] == "disk full"
