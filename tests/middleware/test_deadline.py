"""How long: for the body, and for everything."""

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
PATIENCE_S = 0.2  # what a request without a deadline is watched for


def _sealed(app: ASGIApp, *, body_s: float = LONG_S, total_s: float = LONG_S) -> Deadline:
    return Deadline(app, body_s=body_s, total_s=total_s)


async def _never(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


async def test_a_request_in_time_passes() -> None:
    """Neither deadline touches what is quick enough."""
    app = _sealed(read_all, body_s=LONG_S)
    assert (await call(app, scope_of("POST"), b"ab", b"c")).body == b"3"


@pytest.mark.parametrize("chunks", [(), (b"some",)])
async def test_a_body_that_does_not_come_is_too_slow(chunks: tuple[bytes, ...]) -> None:
    """Whether nothing came or the rest is missing; the limit stands in the exception."""
    with pytest.raises(BodyTooSlow) as caught:
        await call(_sealed(read_all, body_s=SOON_S), scope_of("POST"), *chunks, stalled=True)
    assert caught.value.limit_s == "0.05"


async def test_a_body_that_drips_is_too_slow() -> None:
    """The time is counted from the request's beginning, not from the last byte."""
    drops = 0

    async def receive() -> Message:
        nonlocal drops
        await asyncio.sleep(SOON_S / 5)
        drops += 1
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(_message: Message) -> None:
        """Take nothing."""

    async with asyncio.timeout(LONG_S):
        with pytest.raises(BodyTooSlow):
            await _sealed(read_all, body_s=SOON_S)(scope_of("POST"), receive, send)
    assert drops >= 1


async def test_without_it_a_body_may_never_come() -> None:
    """The app by itself, or with a long deadline, waits on."""
    for app in (read_all, _sealed(read_all)):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await call(app, scope_of("POST"), b"some", stalled=True)


async def test_a_complete_body_ends_the_body_s_time() -> None:
    """A function may work longer than the body may take, and then wait for the client to leave."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.sleep(3 * SOON_S)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON_S):
                await receive()
        await read_all(scope, quick, send)

    async def quick() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    assert (await call(_sealed(slow, body_s=SOON_S), scope_of("POST"), b"x")).status == 200


async def test_an_answer_that_is_not_ready_is_given_up() -> None:
    """The total counts, whatever the function is doing; the limit stands in the exception."""
    with pytest.raises(DeadlineExceeded) as caught:
        await call(_sealed(_never, total_s=SOON_S), scope_of())
    assert caught.value.limit_s == "0.05"


async def test_without_it_an_answer_may_never_come() -> None:
    """The app by itself, or with a long deadline, works on."""
    for app in (_never, _sealed(_never)):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await call(app, scope_of())


async def test_the_function_is_cancelled() -> None:
    """It does not work on for nobody: it is cancelled and may clean up."""
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
        await call(_sealed(app, total_s=SOON_S), scope_of())
    assert ends == ["cancelled", "cleaned up"]


async def test_an_answer_that_has_begun_is_cut_off() -> None:
    """A second answer cannot follow the first, so this is no problem document."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    scope = scope_of()
    await call(_sealed(app, total_s=SOON_S), scope)
    assert request_context(scope).problem == "deadline_exceeded"


async def test_an_answer_may_know_when_it_is_due() -> None:
    """So that it can end itself in good order."""
    dues: list[float | None] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        dues.append(request_context(scope).deadline)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    now = asyncio.get_running_loop().time()
    await call(_sealed(app, total_s=PATIENCE_S), scope_of())
    assert dues[0] is not None
    assert dues[0] >= now + PATIENCE_S


async def test_a_function_s_own_timeout_is_its_own() -> None:
    """A TimeoutError that is not the deadline's is a fault, not a 504."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await call(_sealed(app), scope_of())


async def test_a_client_that_leaves_is_no_deadline() -> None:
    """Cancellation from outside goes through unchanged."""
    task = asyncio.create_task(call(_sealed(_never), scope_of()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
