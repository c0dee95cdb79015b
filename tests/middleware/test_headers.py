"""Headers of every response."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from middleware.headers import ResponseHeaders
from middleware.request_context import request_context
from tests.asgi import call, read_all, scope_of

pytestmark = pytest.mark.anyio


async def test_every_response_has_the_security_headers() -> None:
    """HSTS, nosniff, no-store, a policy that allows nothing, and no referrer."""
    answer = await call(ResponseHeaders(read_all, hsts="max-age=9"), scope_of())
    assert sorted(answer.headers) == [
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=9"),
        ("x-content-type-options", "nosniff"),
    ]


async def test_the_app_alone_has_none() -> None:
    """Negative control."""
    assert (await call(read_all, scope_of())).headers == []


async def test_hsts_is_for_tls_only() -> None:
    """Over plain HTTP the header must not be sent: RFC 6797, section 7.2."""
    answer = await call(ResponseHeaders(read_all, hsts="max-age=9"), scope_of(scheme="http"))
    assert answer.all("strict-transport-security") == []
    assert answer["x-content-type-options"] == "nosniff"


async def test_a_function_can_set_some_of_them() -> None:
    """Caching and policies, not HSTS and nosniff."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            "cache-control": "max-age=60",
            "content-security-policy": "default-src 'self'",
            "strict-transport-security": "max-age=0",
            "x-content-type-options": "x",
        }
        await PlainTextResponse("", headers=headers)(scope, receive, send)

    answer = await call(ResponseHeaders(app, hsts="max-age=9"), scope_of())
    assert answer["cache-control"] == "max-age=60"
    assert answer["content-security-policy"] == "default-src 'self'"
    assert answer["strict-transport-security"] == "max-age=9"
    assert answer["x-content-type-options"] == "nosniff"


async def test_the_headers_of_the_context_are_sent() -> None:
    """Each on a line of its own."""
    scope = scope_of()
    request_context(scope).response_headers += [(b"ratelimit", b"a"), (b"ratelimit", b"b")]
    answer = await call(ResponseHeaders(read_all, hsts="x"), scope)
    assert answer.all("ratelimit") == ["a", "b"]


async def test_other_scopes_pass() -> None:
    """Messages of a lifespan are unchanged."""
    messages = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})

    async def send(message: object) -> None:
        messages.append(message)

    await ResponseHeaders(app, hsts="x")({"type": "lifespan"}, None, send)  # type: ignore[arg-type]
    assert messages == [{"type": "lifespan.startup.complete"}]
