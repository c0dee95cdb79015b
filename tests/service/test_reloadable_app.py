"""The app in front of the current one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Scope

from service.reloadable_app import OneStackApp, ReloadableApp
from tests.asgi import call, scope_of

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def no_lifespan(_app: Any) -> AsyncIterator[None]:
    """Do nothing."""
    yield


def answering(text: str, go_on: asyncio.Event) -> OneStackApp:
    """Return an app that answers with `text` once `go_on` is set."""

    async def handler(_request: Request) -> Response:
        await go_on.wait()
        return PlainTextResponse(text)

    return OneStackApp([Route("/", handler)], [])


async def test_a_request_stays_with_the_app_that_got_it() -> None:
    """A replaced app finishes what it has begun; the next request meets the new one."""
    waiting, at_once = asyncio.Event(), asyncio.Event()
    at_once.set()
    current = answering("old", waiting)
    app = ReloadableApp(lambda: current, no_lifespan)
    first = asyncio.create_task(call(app, scope_of()))
    await asyncio.sleep(0)
    current = answering("new", at_once)
    assert (await call(app, scope_of())).body == b"new"
    waiting.set()
    assert (await first).body == b"old"


async def test_the_lifespan_is_not_that_of_an_app() -> None:
    """It yields the state of all requests, whichever app is current."""
    ended: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[dict[str, str]]:
        yield {"reader": "one"}
        ended.append("one")

    app = ReloadableApp(lambda: pytest.fail("no request was sent"), lifespan)
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []
    scope: Scope = {"type": "lifespan", "state": {}}

    async def receive() -> Message:
        return next(received)

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await app(scope, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert scope["state"] == {"reader": "one"}
    assert ended == ["one"]


class Raises:
    """Middleware that fails."""

    def __init__(self, _app: ASGIApp) -> None:
        pass

    async def __call__(self, *_asgi: object) -> None:
        raise LookupError("secret")


@pytest.mark.parametrize("inside", [True, False])
async def test_exceptions_are_handled_where_the_list_says(*, inside: bool) -> None:
    """Middleware inside ExceptionMiddleware may raise; outside it, nothing adds a handler."""

    async def respond(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("a problem", 500)

    handles = Middleware(ExceptionMiddleware, handlers={Exception: respond})
    fails = Middleware(Raises)
    app = OneStackApp([], [handles, fails] if inside else [fails, handles])
    if inside:
        assert (await call(app, scope_of())).body == b"a problem"
    else:
        with pytest.raises(LookupError):
            await call(app, scope_of())
