"""An application waits while its client takes nothing."""

import asyncio

import pytest
from hypercorn.asyncio.worker_context import EventWrapper
from hypercorn.protocol.h2 import BUFFER_HIGH_WATER, StreamBuffer

from server.send_buffer import SendBuffer

pytestmark = pytest.mark.anyio
PIECE = 16_384


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("taken", [0, 1])
@pytest.mark.parametrize(("kind", "bounded"), [(SendBuffer, True), (StreamBuffer, False)])
async def test_a_full_buffer_stops_the_application(
    kind: type[StreamBuffer], taken: int, *, bounded: bool
) -> None:
    """However often nothing, or a byte, is taken; stock lets it go on each time."""
    buffer = kind(EventWrapper)

    async def send_without_end() -> None:
        while True:
            await buffer.push(bytes(PIECE))

    application = asyncio.create_task(send_without_end())
    for _ in range(50):
        await asyncio.sleep(0)
        await buffer.pop(taken)
    assert (len(buffer.buffer) <= BUFFER_HIGH_WATER + PIECE) is bounded
    while buffer.buffer:  # and goes on once there is space
        await buffer.pop(PIECE)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert buffer.buffer
    application.cancel()
