"""Handlers are loaded at start; a wrong one stops it."""

from pathlib import Path

import pytest

from handlers.health import healthz
from service.routes import HandlerError, load_handler

SOURCE = """
async def good(request): ...
async def optional(request, more=1): ...
def plain(request): ...
async def nothing(): ...
async def two(request, more): ...
async def named(*, request): ...
thing = 3
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put three handler modules on the path; one lacks an import, one has a syntax error."""
    (tmp_path / "sample_handlers.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "needy_handlers.py").write_text("import no_such_thing", encoding="utf-8")
    (tmp_path / "torn_handlers.py").write_text("async def good(request) return 1", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


def test_a_handler_is_found() -> None:
    """The name in the stanza is the function that is called."""
    assert load_handler("/healthz", "handlers.health:healthz") is healthz


@pytest.mark.parametrize("name", ["good", "optional"])
def test_a_handler_takes_one_argument(name: str) -> None:
    """One argument is enough; others may have defaults."""
    assert load_handler("/x", f"sample_handlers:{name}").__name__ == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such_module:good", "no_such_module cannot be imported: No module named"),
        ("needy_handlers:good", "needy_handlers cannot be imported: No module named 'no_such_th"),
        ("torn_handlers:good", "torn_handlers cannot be imported: "),
        ("sample_handlers:god", "sample_handlers has no god"),
        ("sample_handlers:thing", "must be async def thing(request)"),
        ("sample_handlers:plain", "must be async def plain(request)"),
        ("sample_handlers:nothing", "must take the request and nothing else: too many"),
        ("sample_handlers:two", "must take the request and nothing else: missing"),
        ("sample_handlers:named", "must take the request and nothing else: "),
    ],
)
def test_a_wrong_handler_is_refused(name: str, said: str) -> None:
    """The refusal names path, handler and reason."""
    with pytest.raises(HandlerError) as caught:
        load_handler("/x", name)
    assert str(caught.value).startswith(f"[[functions]] /x handler = {name!r}: {said}")
