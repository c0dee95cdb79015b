"""OPTIONS: 204 with Allow, from nothing but the settings."""

import pytest

from middleware.cors import Preflight
from middleware.options import Options
from tests.asgi import call, read_all, scope_of

pytestmark = pytest.mark.anyio

METHODS = {"POST", "OPTIONS", "GET", "HEAD"}
OPTIONS = Options(read_all, methods=METHODS, preflight=Preflight(origins=(), methods=METHODS))


async def test_options_lists_the_methods() -> None:
    """In Allow, and nowhere else: no body, no other header, the body of the request unread."""
    scope = scope_of("OPTIONS", headers={"origin": "https://other.example"})
    answer = await call(OPTIONS, scope, stalled=True)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers == [("allow", "GET, HEAD, OPTIONS, POST")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "options"])
async def test_other_methods_pass(method: str) -> None:
    """Methods are case-sensitive."""
    answer = await call(OPTIONS, scope_of(method), b"abc")
    assert (answer.status, answer.body) == (200, b"3")
