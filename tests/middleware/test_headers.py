"""Headers every answer carries."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from middleware.headers import ResponseHeaders
from middleware.request_context import request_context
from tests.asgi import call, read_all, scope_of

pytestmark = pytest.mark.anyio


async def test_every_answer_is_sealed() -> None:
    """HSTS, nosniff, no-store, a policy that allows nothing, and no referrer."""
    answer = await call(ResponseHeaders(read_all, hsts="max-age=9"), scope_of())
    assert sorted(answer.headers) == [
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=9"),
        ("x-content-type-options", "nosniff"),
    ]


async def test_without_it_nothing_is() -> None:
    """The app by itself sends none of these."""
    assert (await call(read_all, scope_of())).headers == []


async def test_hsts_is_for_tls_only() -> None:
    """Over plain HTTP the header must not be sent: RFC 6797, section 7.2."""
    answer = await call(ResponseHeaders(read_all, hsts="max-age=9"), scope_of(scheme="http"))
    assert answer.all("strict-transport-security") == []
    assert answer["x-content-type-options"] == "nosniff"


async def test_a_function_may_choose_what_is_its_own() -> None:
    """Caching and policies may be a function's; HSTS and nosniff never are."""

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


async def test_what_the_envelope_noted_is_sent() -> None:
    """Each header of the context is a line of its own."""
    scope = scope_of()
    request_context(scope).response_headers += [(b"ratelimit", b"a"), (b"ratelimit", b"b")]
    answer = await call(ResponseHeaders(read_all, hsts="x"), scope)
    assert answer.all("ratelimit") == ["a", "b"]


async def test_other_scopes_pass() -> None:
    """A WebSocket or lifespan message is not touched."""
    messages = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})

    async def send(message: object) -> None:
        messages.append(message)

    await ResponseHeaders(app, hsts="x")({"type": "lifespan"}, None, send)  # type: ignore[arg-type]
    assert messages == [{"type": "lifespan.startup.complete"}]
