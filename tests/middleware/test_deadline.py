"""Time limits for the request body and the whole response."""

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.deadline import Deadline
from middleware.errors import BodyTooSlow, DeadlineExceeded
from middleware.request_context import request_context
from tests.asgi import call, read_all, scope_of

pytestmark = pytest.mark.anyio

SOON_S = 0.05
LONG_S = 30
PATIENCE_S = 0.2  # how long a request without a deadline is observed


def _limited(app: ASGIApp, *, body_s: float = LONG_S, total_s: float = LONG_S) -> Deadline:
    return Deadline(app, body_s=body_s, total_s=total_s)


async def _never(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


async def test_a_request_in_time_passes() -> None:
    """Both limits are long enough."""
    app = _limited(read_all, body_s=LONG_S)
    assert (await call(app, scope_of("POST"), b"ab", b"c")).body == b"3"


@pytest.mark.parametrize("chunks", [(), (b"some",)])
async def test_an_incomplete_body_is_too_slow(chunks: tuple[bytes, ...]) -> None:
    """Whether nothing arrived or the rest is missing; the exception has the limit."""
    with pytest.raises(BodyTooSlow) as caught:
        await call(_limited(read_all, body_s=SOON_S), scope_of("POST"), *chunks, stalled=True)
    assert caught.value.limit_s == "0.05"


async def test_a_slow_body_is_too_slow() -> None:
    """The time is measured from the start of the request, not from the last byte."""
    drops = 0

    async def receive() -> Message:
        nonlocal drops
        await asyncio.sleep(SOON_S / 5)
        drops += 1
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(_message: Message) -> None:
        """Discard the message."""

    async with asyncio.timeout(LONG_S):
        with pytest.raises(BodyTooSlow):
            await _limited(read_all, body_s=SOON_S)(scope_of("POST"), receive, send)
    assert drops >= 1


async def test_without_a_limit_a_body_may_take_forever() -> None:
    """Negative control: the app alone, or with a long limit, keeps waiting."""
    for app in (read_all, _limited(read_all)):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await call(app, scope_of("POST"), b"some", stalled=True)


async def test_the_body_limit_ends_with_the_body() -> None:
    """A function may take longer than that, and wait for a disconnect."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.sleep(3 * SOON_S)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON_S):
                await receive()
        await read_all(scope, quick, send)

    async def quick() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    assert (await call(_limited(slow, body_s=SOON_S), scope_of("POST"), b"x")).status == 200


async def test_a_response_that_is_not_ready_ends() -> None:
    """Whatever the function is doing; the exception has the limit."""
    with pytest.raises(DeadlineExceeded) as caught:
        await call(_limited(_never, total_s=SOON_S), scope_of())
    assert caught.value.limit_s == "0.05"


async def test_without_a_limit_a_response_may_take_forever() -> None:
    """Negative control: the app alone, or with a long limit, keeps running."""
    for app in (_never, _limited(_never)):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await call(app, scope_of())


async def test_the_function_is_cancelled() -> None:
    """It is cancelled and can clean up."""
    ends: list[str] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        finally:
            ends.append("cleaned up")

    with pytest.raises(DeadlineExceeded):
        await call(_limited(app, total_s=SOON_S), scope_of())
    assert ends == ["cancelled", "cleaned up"]


async def test_a_started_response_is_cut_off() -> None:
    """A second response cannot follow, so there is no problem document."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    scope = scope_of()
    await call(_limited(app, total_s=SOON_S), scope)
    assert request_context(scope).problem == "deadline_exceeded"


async def test_a_function_can_read_its_deadline() -> None:
    """So that it can end its response before it."""
    deadlines: list[float | None] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        deadlines.append(request_context(scope).deadline)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    now = asyncio.get_running_loop().time()
    await call(_limited(app, total_s=PATIENCE_S), scope_of())
    assert deadlines[0] is not None
    assert deadlines[0] >= now + PATIENCE_S


async def test_another_timeout_is_not_the_deadline() -> None:
    """A TimeoutError of the function itself is raised unchanged."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await call(_limited(app), scope_of())


async def test_a_disconnect_is_not_the_deadline() -> None:
    """A cancellation from outside is raised unchanged."""
    running = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        running.set()
        await _never(scope, receive, send)

    task = asyncio.create_task(call(_limited(app), scope_of()))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
