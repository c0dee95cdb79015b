"""A few handshake steps run in each iteration of the event loop."""

import asyncio

import pytest

from server.handshakes import HANDSHAKES_PER_ITERATION, HandshakeQueue


async def step(queue: HandshakeQueue, done: list[int], number: int) -> None:
    """Wait for a turn, and note it."""
    await queue.acquire()
    done.append(number)


@pytest.mark.anyio
async def test_steps_are_spread_over_iterations() -> None:
    """In order of arrival, no more than so many per iteration."""
    queue, done = HandshakeQueue(), list[int]()
    tasks = [asyncio.ensure_future(step(queue, done, number)) for number in range(9)]
    while not all(task.done() for task in tasks):
        before = len(done)
        await asyncio.sleep(0)
        assert len(done) <= before + HANDSHAKES_PER_ITERATION
    assert done == list(range(9))


@pytest.mark.anyio
async def test_a_closed_connection_takes_no_turn() -> None:
    """Those that wait behind it do not wait longer, and the queue is free in the end."""
    queue, done = HandshakeQueue(), list[int]()
    tasks = [asyncio.ensure_future(step(queue, done, number)) for number in range(9)]
    await asyncio.sleep(0)
    for task in tasks[2:8]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert done == [0, 1, 8]
    await asyncio.sleep(0)
    with pytest.raises(StopIteration):
        queue.acquire().send(None)
