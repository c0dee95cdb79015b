"""The size limit, by Content-Length and by counting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from middleware.body_limit import BodyLimit
from middleware.errors import BodyTooLarge
from middleware.request_context import request_context
from tests.asgi import call, read_all, scope_of

pytestmark = pytest.mark.anyio

APP = BodyLimit(read_all, max_bytes=10)


@pytest.mark.parametrize("chunks", [(b"",), (b"x" * 10,), (b"x" * 5, b"y" * 5), (b"x",) * 10])
@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_up_to_the_limit_passes(
    *,
    chunks: tuple[bytes, ...],
    declared: bool,
) -> None:
    """Exactly the limit is allowed, in any number of chunks, with and without Content-Length."""
    length = sum(map(len, chunks))
    scope = scope_of("POST", headers={"content-length": str(length)} if declared else {})
    assert (await call(APP, scope, *chunks)).body == str(length).encode()
    assert request_context(scope).received_bytes == length
    assert request_context(scope).expected_bytes == (length if declared else 10)


@pytest.mark.parametrize("length", ["11", "99999999999999999999", "9" * 5000, "0" * 30 + "11"])
async def test_a_large_content_length_is_rejected_unread(length: str) -> None:
    """Nothing of the body is received."""

    async def receive() -> Message:
        raise AssertionError("read")

    async def send(_message: Message) -> None:
        raise AssertionError("answered")

    scope = scope_of("POST", headers={"content-length": length})
    if int(length[:20]) > 10:
        with pytest.raises(BodyTooLarge) as caught:
            await APP(scope, receive, send)
        assert caught.value.limit_bytes == 10
    else:  # leading zeros: counted instead
        with pytest.raises(BodyTooLarge):
            await call(APP, scope, b"x" * 11)


@pytest.mark.parametrize(
    "headers", [{}, {"content-length": "3"}, {"content-length": "-1"}, {"content-length": "x"},
                {"content-length": ""}, {"content-length": "²"}],
)  # fmt: skip
@pytest.mark.parametrize("chunks", [(b"x" * 11,), (b"x" * 10, b"y"), (b"x",) * 11])
async def test_an_undeclared_length_is_counted(
    headers: dict[str, str], chunks: tuple[bytes, ...]
) -> None:
    """Without Content-Length, or with a wrong one, received bytes are counted."""
    scope = scope_of("POST", headers=headers)
    with pytest.raises(BodyTooLarge):
        await call(APP, scope, *chunks)
    assert "read" not in scope["state"]


async def test_the_limit_stops_the_reading_at_once() -> None:
    """No chunk after the one that exceeds the limit is received."""
    received = 0

    async def receive() -> Message:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b"x" * 6, "more_body": True}

    async def send(_message: Message) -> None:
        """Discard the message."""

    with pytest.raises(BodyTooLarge):
        await APP(scope_of("POST"), receive, send)
    assert received == 2


async def test_without_a_limit_any_body_passes() -> None:
    """Negative control: the app alone."""
    assert (await call(read_all, scope_of("POST"), b"x" * 11)).body == b"11"


@given(st.lists(st.binary(max_size=8), max_size=6), st.integers(0, 30))
async def test_the_count_is_exact(chunks: list[bytes], limit: int) -> None:
    """A body passes exactly if it is not longer than the limit."""
    length = sum(map(len, chunks))
    app = BodyLimit(read_all, max_bytes=limit)
    if length <= limit:
        assert (await call(app, scope_of("POST"), *chunks)).body == str(length).encode()
    else:
        with pytest.raises(BodyTooLarge):
            await call(app, scope_of("POST"), *chunks)


async def test_a_limit_of_0_rejects_any_body() -> None:
    """An empty body passes."""
    app = BodyLimit(read_all, max_bytes=0)
    assert (await call(app, scope_of())).status == 200
    with pytest.raises(BodyTooLarge):
        await call(app, scope_of("POST"), b"x")
