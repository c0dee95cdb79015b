"""Handlers are loaded at start, a wrong one stops it; what they return is checked; OPTIONS."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from handlers.health import healthz
from service.middleware_stack import MiddlewareStack, Surroundings
from service.routes import HandlerError, load_handler
from settings import Settings, load_settings
from tests.asgi import Answer, call, scope_of

ROOT = Path(__file__).parents[2]

SOURCE = """
async def good(request): ...
async def optional(request, more=1): ...
def plain(request): ...
async def nothing(): ...
async def two(request, more): ...
async def named(*, request): ...
thing = 3
async def none(request): ...
async def mapping(request): return {"text": "hunter2"}
async def text(request): return "hunter2"
async def uncalled(request): return __import__("starlette.responses").responses.Response
async def response(request): return __import__("starlette.responses").responses.Response("x")
"""
RETURNED = {"none": "NoneType", "mapping": "dict", "text": "str", "uncalled": "type"}


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put handler modules on the path, most of which cannot be imported."""
    (tmp_path / "sample_handlers.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "needy_handlers.py").write_text("import no_such_thing", encoding="utf-8")
    (tmp_path / "failing_handlers.py").write_text("\n\nno_such_name\n", encoding="utf-8")
    (tmp_path / "ending_handlers.py").write_text("raise SystemExit", encoding="utf-8")
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
        ("failing_handlers:x", "failing_handlers cannot be imported: NameError in /"),
        ("ending_handlers:x", "ending_handlers cannot be imported: SystemExit in /"),
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


@pytest.fixture
def log() -> list[str]:
    """Return the lines of the log."""
    return []


@pytest.fixture
def app(tmp_path: Path, log: list[str]) -> ASGIApp:
    """Return the shipped functions, and a public one for each handler that returns."""
    settings = load_settings(ROOT / "settings.toml", {})
    functions = [
        settings.functions[0].model_copy(
            update={
                "path": f"/{name}",
                "handler": f"sample_handlers:{name}",
                "scope": "public",
                "methods": ("GET", "POST"),
                "limits": (),
            }
        )
        for name in [*RETURNED, "response"]
    ]
    return _app(
        settings.model_copy(update={"functions": (*settings.functions, *functions)}), tmp_path, log
    )


def _app(settings: Settings, directory: Path, log: list[str]) -> ASGIApp:
    surroundings = Surroundings(directory, log.append, clients=None, development_certificate=True)
    return MiddlewareStack(settings, surroundings).app()


async def _request(app: ASGIApp, method: str, path: str) -> Answer:
    return await call(app, scope_of(method, path, client="127.0.0.1"))


@pytest.mark.anyio
@pytest.mark.parametrize("name", RETURNED)
async def test_a_handler_that_returns_no_response_is_named(
    name: str, app: ASGIApp, log: list[str]
) -> None:
    """In the log, with the type that it returned and never the value; the caller gets a 500."""
    answer = await _request(app, "GET", f"/{name}")
    document: dict[str, Any] = json.loads(answer.body)
    assert (answer.status, document["code"]) == (500, "internal_error")
    assert name not in document["detail"]
    line = json.loads(log[-1])
    assert line["traceback"][0] == (
        f"NotAResponse: sample_handlers:{name} returned {RETURNED[name]}; a handler must return a "
        "starlette.responses.Response, such as JSONResponse(...)"
    )
    assert "hunter2" not in log[-1] + answer.body.decode()


@pytest.mark.anyio
async def test_a_disabled_function_is_not_found(tmp_path: Path, log: list[str]) -> None:
    """Its handler is not even imported: this one does not exist."""
    settings = load_settings(ROOT / "settings.toml", {})
    update = {"path": "/off", "handler": "no_such_module:f", "enabled": False}
    off = settings.functions[0].model_copy(update=update)
    functions = (*settings.functions, off)
    app = _app(settings.model_copy(update={"functions": functions}), tmp_path, log)
    assert (await _request(app, "POST", "/off")).status == 404
    enabled = (*settings.functions, off.model_copy(update={"enabled": True}))
    with pytest.raises(HandlerError, match="no_such_module"):
        _app(settings.model_copy(update={"functions": enabled}), tmp_path, log)


@pytest.mark.anyio
async def test_a_placeholder_matches_one_segment(tmp_path: Path, log: list[str]) -> None:
    """The log has the function's path, not the client's, which could be anything."""
    settings = load_settings(ROOT / "settings.toml", {})
    update = {
        "path": "/files/{name}",
        "handler": "sample_handlers:response",
        "scope": "public",
        "methods": ("GET",),
    }
    function = settings.functions[0].model_copy(update=update)
    app = _app(settings.model_copy(update={"functions": (function,)}), tmp_path, log)
    assert (await _request(app, "GET", "/files/hunter2")).status == 200
    assert json.loads(log[-1])["function"] == "/files/{name}"
    for path in ("/files", "/files/", "/files/a/b"):
        assert (await _request(app, "GET", path)).status == 404


@pytest.mark.anyio
async def test_a_handler_s_response_is_sent(app: ASGIApp) -> None:
    """Unchanged."""
    answer = await _request(app, "POST", "/response")
    assert (answer.status, answer.body) == (200, b"x")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/ocr", "OPTIONS, POST"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/readyz", "GET, HEAD, OPTIONS"),
        ("/response", "GET, HEAD, OPTIONS, POST"),
    ],
)
async def test_options_needs_no_key_and_says_no_more_than_allow(
    path: str, allow: str, app: ASGIApp
) -> None:
    """It has the headers of every response; a 405 names the same methods."""
    answer = await _request(app, "OPTIONS", path)
    assert (answer.status, answer.body, answer["allow"]) == (204, b"", allow)
    assert not [name for name, _ in answer.headers if name.startswith("access-control")]
    assert answer["x-request-id"]
    refused = await _request(app, "DELETE", path)
    assert refused.status == 405
    assert sorted(refused["allow"].split(", ")) == allow.split(", ")


@pytest.mark.anyio
async def test_options_of_an_unknown_path_is_not_found(app: ASGIApp) -> None:
    """As with every method."""
    assert (await _request(app, "OPTIONS", "/nothing")).status == 404


@pytest.mark.anyio
async def test_options_counts_against_the_address(tmp_path: Path, log: list[str]) -> None:
    """Apart from what is counted of valid keys, and of wrong ones."""
    shipped = load_settings(ROOT / "settings.toml", {"OCR_LIMITS__PER_ADDRESS": "3/minute"})
    app = _app(shipped, tmp_path, log)
    statuses = [(await _request(app, method, "/ocr")).status for method in ["OPTIONS", "POST"] * 4]
    assert statuses == [204, 401, 204, 401, 204, 401, 429, 401]
