"""HTTP/1.1 bodies of many small chunks: each costs a client six bytes, and the server a parser."""

import asyncio
from typing import Any

import h11
import pytest
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, RawData
from hypercorn.typing import ConnectionState

from server import chunk_pace
from server.chunk_pace import ChunkPace
from server.connection_limit import Limits
from server.http1 import HardenedH11Protocol
from server.options import ServerOptions
from tests.stalls import longest_stall_ms

pytestmark = pytest.mark.anyio

CHUNKS = 8000
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
CLIENT = ("192.0.2.1", 50000)
SECURED = True


class Counting:
    """Reads a body, or responds at once; `length` is what it has read."""

    def __init__(self, *, early: bool) -> None:
        self.early = early
        self.length = 0

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        """Read, then respond."""
        more = not self.early
        while more:
            message = await receive()
            self.length += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


def _protocol(app: Any, tasks: TaskGroup, send: Any) -> HardenedH11Protocol:
    options = ServerOptions(linger_s=0.1)
    limits = Limits(options)
    return HardenedH11Protocol(
        ASGIWrapper(app), Config(), WorkerContext(None), tasks, ConnectionState({}), SECURED,
        CLIENT, CLIENT, send,
        options=options, fair_queue=limits.fair_queue, refusals=limits.refusals,
        drain=limits.drain,
    )  # fmt: skip


async def _stall_ms(app: Any) -> tuple[float, bytes]:
    """Handle one read of many chunks; return how long that stalls others, and the response."""
    sent = b""

    async def send(event: Any) -> None:
        nonlocal sent
        sent += getattr(event, "data", b"")

    async with TaskGroup(asyncio.get_running_loop()) as tasks:
        protocol = _protocol(app, tasks, send)
        chunks = RawData(HEAD + b"1\r\nx\r\n" * CHUNKS + b"0\r\n\r\n")
        stall_ms = await longest_stall_ms(protocol.handle(chunks))
    return stall_ms, sent


@pytest.mark.parametrize("early", [False, True])
async def test_small_chunks_leave_turns_to_others(
    *, early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read or discarded; handled all at once they stall everything else (the control)."""
    monkeypatch.setattr(chunk_pace, "PAUSE_S", 0)
    app = Counting(early=early)
    stall_ms, sent = await _stall_ms(app)
    assert sent.startswith(b"HTTP/1.1 200")
    assert early or app.length == CHUNKS
    monkeypatch.setattr(chunk_pace, "CHUNKS_PER_ITERATION", 10 * CHUNKS)
    at_once_ms, _ = await _stall_ms(Counting(early=early))
    assert stall_ms * 8 < at_once_ms


@pytest.mark.parametrize(
    ("size", "waits"),
    [(1, True), (chunk_pace.SMALL_BYTES - 1, True), (chunk_pace.SMALL_BYTES, False)],
)
async def test_many_small_chunks_are_slowed_down(
    size: int, *, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the first thousand of a body; the next body begins anew."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("server.chunk_pace.asyncio.sleep", sleep)
    pace = ChunkPace()
    chunk = h11.Data(data=bytes(size), chunk_start=True, chunk_end=True)
    for _ in range(chunk_pace.FREE_SMALL_CHUNKS):
        await pace.count(chunk)
    assert set(slept) == {0}
    for _ in range(chunk_pace.CHUNKS_PER_ITERATION):
        await pace.count(chunk)
    assert slept[-1] == (chunk_pace.PAUSE_S if waits else 0)


async def test_reads_of_a_few_bytes_are_not_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body with a Content-Length from a slow network is in no chunks."""
    monkeypatch.setattr(chunk_pace, "FREE_SMALL_CHUNKS", 0)
    monkeypatch.setattr(chunk_pace, "PAUSE_S", 3600)
    pace = ChunkPace()
    async with asyncio.timeout(60):
        for _ in range(100):
            await pace.count(h11.Data(data=b"x"))


async def test_a_connection_ends_in_the_middle_of_slow_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After an early response the rest of a read is not handled to its end."""
    monkeypatch.setattr(chunk_pace, "FREE_SMALL_CHUNKS", 0)
    async with asyncio.timeout(10):  # all pauses together would be 40 s
        _, sent = await _stall_ms(Counting(early=True))
    assert sent.startswith(b"HTTP/1.1 200")


async def test_nothing_is_kept_after_an_invalid_chunk() -> None:
    """What follows it after an early response is not buffered, however much it is."""
    closed = asyncio.Event()

    async def send(event: Any) -> None:
        if isinstance(event, Closed):
            closed.set()

    async with TaskGroup(asyncio.get_running_loop()) as tasks:
        protocol = _protocol(Counting(early=True), tasks, send)
        await protocol.handle(RawData(HEAD))
        while not protocol._lingering:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        await protocol.handle(RawData(b"no length\r\n"))
        for _ in range(10):
            await protocol.handle(RawData(bytes(100_000)))
        await closed.wait()
    kept, _ = protocol.connection.trailing_data
    assert len(kept) < 100
