"""Errors of the drop-ins: one mechanism for those of the middleware and of the functions."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from handlers.compat.failure import failing_as
from handlers.compat.ocr_space import failed
from handlers.errors import UnsupportedBody
from middleware.errors import RateLimited
from tests.asgi import scope_of
from tests.handlers.compat.conftest import ELSEWHERE, LOG, MULTIPART, PageReader, Send, form

ROOT = Path(__file__).parents[3]
PATHS = {
    "/api/ocr": "data",
    "/rapidocr/ocr": "detail",
    "/paddlex/ocr": "errorMsg",
    "/process": "detail",
    "/parse/image": "ErrorMessage",
    "/liteparse/ocr": "error",
    "/tesseract": "reason",
}
"""Each drop-in, and the member of its errors that has the text."""


@pytest.mark.anyio
@pytest.mark.parametrize(("path", "member"), PATHS.items())
async def test_a_refused_request_gets_the_form_of_its_function(
    path: str, member: str, send: Send
) -> None:
    """Without a key, too long, too busy: the status, the headers and the log stay what they are."""
    method = "PUT" if path == "/process" else "POST"
    reply = await send(path, b"x", method=method, client=ELSEWHERE)
    assert (reply.status, reply["content-type"].partition(";")[0]) == (
        401,
        "text/html" if path == "/api/ocr" else "application/json",
    )
    assert "X-API-Key" in str(reply.json()[member])
    assert reply["www-authenticate"] == 'Bearer realm="sealed-ocr"'
    assert json.loads(LOG[-1])["problem"] == "not_authenticated"
    long = await send(path, b"", method=method, content_length="99000000")
    assert long.status == 413
    assert json.loads(LOG[-1])["problem"] == "body_too_large"


@pytest.mark.anyio
@pytest.mark.parametrize(("path", "member"), PATHS.items())
async def test_a_busy_service_says_when_to_try_again(
    path: str, member: str, send: Send, reader: PageReader
) -> None:
    """With the status 503 and Retry-After, although some services know only 200."""
    reader.held = 1
    reply = await send(path, b"x", method="PUT" if path == "/process" else "POST")
    assert (reply.status, reply["retry-after"]) == (503, "3")
    assert member in reply.json()


@pytest.mark.anyio
async def test_a_rate_limit_has_its_headers() -> None:
    """As for any other function."""

    @failing_as(failed)
    async def handler(_request: Request) -> Any: ...

    limited = RateLimited("key", 60, 60, 7)
    response = await handler.error_response(Request(scope_of()), limited)  # type: ignore[attr-defined]
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/parse/image", "/api/ocr", "/api/doc/upload"])
async def test_an_error_with_the_status_200_follows_the_whole_body(path: str, send: Send) -> None:
    """curl sends on after a 200, and would wait for ever."""
    begun = form({"file": b"x"})
    chunks = [begun[:-40] + b"\n--b0undary\r\n:\r\n", *[b"x" * 1000] * 50]
    reply = await send(path, chunks=chunks, content_type=MULTIPART)
    assert reply.status == 200
    assert json.loads(LOG[-1])["bytes"] == sum(map(len, chunks))


@pytest.mark.anyio
async def test_a_compressed_body_is_refused_in_the_same_form(send: Send) -> None:
    """Before it is parsed."""
    reply = await send("/parse/image", b"x", content_encoding="gzip", content_type=MULTIPART)
    assert reply.json()["ErrorDetails"] == "unsupported_encoding"
    assert reply["accept-encoding"] == "identity"


@pytest.mark.anyio
async def test_other_functions_are_not_changed() -> None:
    """Negative control: a handler without a form of its own raises what it raises."""

    async def handler(_request: Request) -> Any:
        raise UnsupportedBody

    assert not hasattr(handler, "error_response")
    with pytest.raises(UnsupportedBody):
        await handler(Request(scope_of()))


def _loaded(enable: str) -> list[str]:
    """Return the modules of handlers.compat that a service loads whose settings enable a path."""
    program = f"""
import sys
from pathlib import Path
from service.routes import Routes
from settings import load_settings
settings = load_settings(Path("settings.toml"), {{}})
functions = [each.model_copy(update={{"enabled": each.enabled or each.path == {enable!r}}})
             for each in settings.functions]
settings = settings.model_copy(update={{"functions": tuple(functions)}})
Routes(settings, callers=[], quota=None, clients=None).build()
print(*(name for name in sys.modules if name.startswith("handlers.compat.")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a_function_that_is_switched_off_is_not_loaded() -> None:
    """It costs nothing; negative control: one that is on loads its own module, and no other's."""
    assert _loaded("") == []
    loaded = _loaded("/liteparse/ocr")
    assert "handlers.compat.liteparse" in loaded
    assert {"handlers.compat.umi_ocr", "handlers.compat.paddlex"}.isdisjoint(loaded)
