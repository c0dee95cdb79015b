"""An answer waits for its request's body, and not for long."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.body_drain import BodyDrain
from tests.asgi import scope_of

pytestmark = pytest.mark.anyio


async def _refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer without a look at the body."""
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _unread(app: ASGIApp, pieces: Iterator[Message], version: str) -> int:
    """Have a request refused; return how many pieces were read by the time of the answer."""
    read = left = 0

    async def receive() -> Message:
        nonlocal read
        message = next(pieces, None)
        if message is None:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")
        read += 1
        return message

    async def send(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            left = read

    scope = {**scope_of("POST"), "http_version": version}
    await app(scope, receive, send)
    return left


def _body(pieces: int, *, ends: bool = True) -> Iterator[Message]:
    for number in range(1, pieces + 1):
        more = not ends or number < pieces
        yield {"type": "http.request", "body": b"x" * 100, "more_body": more}


@pytest.mark.parametrize(("version", "read"), [("1.1", 5), ("1.0", 5), ("2", 0)])
async def test_the_body_is_read_first(version: str, read: int) -> None:
    """To its end; HTTP/2, where reading goes on after an answer, is the control."""
    app = BodyDrain(_refuse, wait_s=60, max_bytes=1000)
    assert await _unread(app, _body(5), version) == read


async def test_a_body_that_waits_for_100_continue_is_not_requested() -> None:
    """Its client gets the answer, and sends nothing."""

    async def receive() -> Message:
        raise AssertionError("reading sends 100 Continue")

    async def send(_message: Message) -> None:
        """Send nothing."""

    app = BodyDrain(_refuse, wait_s=60, max_bytes=1000)
    headers = {"expect": "100-continue"}
    await app({**scope_of("POST", headers=headers), "http_version": "1.1"}, receive, send)


async def test_no_more_than_so_much_is_read() -> None:
    """The answer goes out where a body does not end."""
    app = BodyDrain(_refuse, wait_s=60, max_bytes=1000)
    assert await _unread(app, _body(50), "1.1") == 11


async def test_a_body_that_stops_is_not_waited_for() -> None:
    """The time is over, and the answer goes out."""
    app = BodyDrain(_refuse, wait_s=0.01, max_bytes=1000)
    assert await _unread(app, _body(2, ends=False), "1.1") == 2


async def test_a_client_that_has_left_is_not_waited_for() -> None:
    """Nothing comes any more."""
    app = BodyDrain(_refuse, wait_s=60, max_bytes=1000)
    assert await _unread(app, iter([{"type": "http.disconnect"}]), "1.1") == 1


async def test_a_body_that_was_read_is_not_read_again() -> None:
    """An answer that is not early waits for nothing."""

    async def read_and_answer(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await _refuse(scope, receive, send)

    app = BodyDrain(read_and_answer, wait_s=60, max_bytes=1000)
    assert await _unread(app, _body(1), "1.1") == 1
